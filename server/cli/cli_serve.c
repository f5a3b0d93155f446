#include "app/app.h"
#include "cli/cli.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

static int usage(const struct cli *c)
{
    fprintf(stderr, "firstline: %s: not expected here; firstline serve --help\n", c->word[0]);
    return 2;
}

static int serve(struct cli *c, bool demo, const char *notes)
{
    struct app_options opt = {.data_dir = c->data, .redis_url = c->redis, .listen = cli_option(c, "--listen"), .is_demo = demo, .notes = notes, .site = c->site};
    struct err err = {0};
    struct buf problems;

    if (cli_make_data(c, &err) < 0)
        return cli_fail(&err);
    if (opt.listen) { /* what is said of the address is said of this one */
        free(c->cfg->server.listen);
        c->cfg->server.listen = mem_strdup(opt.listen);
    }
    buf_init(&problems, 65536);
    if (config_check(c->cfg, &problems, &err) == 0 && problems.n)
        fputs(problems.p, stderr);
    buf_fini(&problems);
    return app_run(c->cfg, &opt, &err) < 0 ? cli_fail(&err) : 0;
}

int cli_serve(struct cli *c)
{
    struct err err = {0};

    if (c->words_n)
        return usage(c);
    if (c->cfg->sites_n == 1) {
        app_sites_join();
        return serve(c, false, NULL);
    }
    if (cli_has(c, "--listen")) {
        fprintf(stderr, "firstline: --listen: one address can't be that of %zu sites; give each its site.NAME.listen\n", c->cfg->sites_n);
        return 2;
    }
    return app_sites_run(c->cfg, c->argv, &err) < 0 ? cli_fail(&err) : 0;
}

/* ---- the demo: a shop of lamps and home textiles */

#define DEMO_PASSWORD "lantern-and-loom-88"

static const char *const demo_settings[] = {
    "site.default.name=Lantern & Loom · 灯与织",
    "site.default.color=#8a4b2d",
    "site.default.greeting_en=Welcome to Lantern & Loom. What can we do for you?",
    "site.default.greeting_zh=欢迎光临灯与织，请问有什么可以帮您？",
    "site.default.farewell_en=Thank you for coming to Lantern & Loom.",
    "site.default.farewell_zh=感谢光临灯与织。",
    "department.general.title_en=General questions",
    "department.general.title_zh=综合咨询",
    "department.general.lead=lin",
    "department.orders.title_en=Orders and delivery",
    "department.orders.title_zh=订单与配送",
    "department.orders.lead=lin",
    "department.orders.fallback=general",
    "department.orders.keywords=parcel, tracking, delivery address, courier, 快递, 物流, 包裹, 收货地址",
    "department.returns.title_en=Returns and repairs",
    "department.returns.title_zh=退换与维修",
    "department.returns.lead=lin",
    "department.returns.fallback=general",
    "department.returns.keywords=return, exchange, repair, broken, damaged, 退货, 换货, 维修, 破损",
    "department.payments.title_en=Payments and invoices",
    "department.payments.title_zh=付款与发票",
    "department.payments.lead=lin",
    "department.payments.fallback=general",
    "department.payments.keywords=invoice, refund, charged, coupon, 发票, 退款, 扣款, 优惠券",
    "canned.look.title_en=I'm looking it up",
    "canned.look.title_zh=正在查询",
    "canned.look.text_en=Thank you. I'm looking that up for you, it takes about two minutes.",
    "canned.look.text_zh=好的，我这就帮您查询，大约需要两分钟，请稍候。",
    "canned.order_number.title_en=Ask for the order number",
    "canned.order_number.title_zh=询问订单号",
    "canned.order_number.text_en=Could you tell me your order number? It begins with LL and stands in the e-mail that confirmed the order.",
    "canned.order_number.text_zh=麻烦您提供一下订单号，以 LL 开头，可以在订单确认邮件里找到。",
    "canned.on_its_way.title_en=The parcel is on its way",
    "canned.on_its_way.title_zh=包裹在途",
    "canned.on_its_way.text_en={name}, your order {order} has left our warehouse. It should be with you by {date}.",
    "canned.on_its_way.text_zh={name}，您的订单 {order} 已经发出，预计 {date} 送达。",
    "canned.refunded.title_en=The refund is made",
    "canned.refunded.title_zh=退款已办理",
    "canned.refunded.text_en=The refund for order {order} is made. Your bank shows it within {days} working days.",
    "canned.refunded.text_zh=订单 {order} 的退款已办理，{days} 个工作日内到账。",
    "canned.anything_else.title_en=Anything else?",
    "canned.anything_else.title_zh=还有其他问题吗",
    "canned.anything_else.text_en=Is there anything else I can do for you?",
    "canned.anything_else.text_zh=请问还有其他可以帮您的吗？",
};

static const struct cli_account demo_people[] = {
    {"mei", "Mei 林小梅", DEMO_PASSWORD, {"rep"}, {"general", "orders", "returns", "payments"}, {NULL}, {"zh", "en"}},
    {"tom", "Tom Becker", DEMO_PASSWORD, {"rep"}, {"general", "orders", "returns", "payments"}, {NULL}, {"zh", "en"}},
    {"lin", "Lin 林主管", DEMO_PASSWORD, {"rep", "lead"}, {"general", "orders", "returns", "payments"}, {NULL}, {"zh", "en"}},
    {"quinn", "Quinn 质控", DEMO_PASSWORD, {"qa"}, {"general"}, {NULL}, {NULL}},
    {"admin", "Admin", DEMO_PASSWORD, {"admin", "director", "editor"}, {"general"}, {NULL}, {NULL}},
};

static int make_people(struct cli *c, struct err *err)
{
    struct cli_live live;
    int rc = cli_live_open(c, &live, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < sizeof demo_people / sizeof *demo_people; i++) {
        rc = cli_account_add(&live, &demo_people[i], err);
        if (rc == ERR_EXISTS)
            rc = 0;
    }
    if (cli_live_close(c, &live, rc == 0 ? err : NULL) < 0 && rc == 0)
        rc = err->code;
    return rc;
}

int cli_demo(struct cli *c)
{
    struct err err = {0};
    int rc = 0;

    if (c->words_n)
        return usage(c);
    if (!cli_has(c, "--config"))
        for (size_t i = 0; rc == 0 && i < sizeof demo_settings / sizeof *demo_settings; i++)
            rc = config_set(c->cfg, demo_settings[i], &err);
    c->may_make_data = true;
    if (rc == 0)
        rc = make_people(c, &err);
    if (rc < 0)
        return cli_fail(&err);
    return serve(c, true,
                 "  shop     /          a shopper chats here, bottom right\n"
                 "  console  /console   reps: mei, tom (and lin, their lead)\n"
                 "  quality  /qa        quinn\n"
                 "  password of all     " DEMO_PASSWORD "\n");
}
