/* The tables and the plot of all days. Header: sim.h. */
#include "sim.h"

#include <math.h>
#include <stddef.h>

struct figure {
    double mean, half; /* mean ± half: 95 % interval by Student's t */
};

#define AT(field) offsetof(struct sim_result, field)

static double value(const struct sim_result *r, size_t at)
{
    return *(const double *)(const void *)((const char *)r + at);
}

static struct figure figure_of(const struct sim_result (*r)[SIM_POLICY_N], unsigned seeds, unsigned policy, size_t at)
{
    double sum = 0, squares = 0, n = seeds;
    struct figure f;

    for (unsigned s = 0; s < seeds; s++)
        sum += value(&r[s][policy], at);
    f.mean = sum / n;
    for (unsigned s = 0; s < seeds; s++)
        squares += pow(value(&r[s][policy], at) - f.mean, 2);
    f.half = (seeds >= 30 ? 2.045 : 12.7) * sqrt(squares / (n - 1) / n); /* fewer are no measurement: the widest */
    return f;
}

struct line {
    const char *title, *format;
    size_t at;
};

static const struct line lines[] = {
    {"service level (answered within 60 s), %", " %.1f ± %.1f |", AT(service_level)},
    {"longest wait, urgent, s", " %.0f ± %.0f |", AT(longest_s[CLASS_URGENT])},
    {"longest wait, care, s", " %.0f ± %.0f |", AT(longest_s[CLASS_CARE])},
    {"longest wait, returning, s", " %.0f ± %.0f |", AT(longest_s[CLASS_RETURNING])},
    {"longest wait, VIP, s", " %.0f ± %.0f |", AT(longest_s[CLASS_VIP])},
    {"longest wait, normal, s", " %.0f ± %.0f |", AT(longest_s[CLASS_NORMAL])},
    {"mean wait of those answered, s", " %.1f ± %.1f |", AT(mean_s)},
    {"abandoned, %", " %.2f ± %.2f |", AT(abandoned)},
    {"had to queue, %", " %.1f ± %.1f |", AT(queued)},
    {"Jain's index of the reps' load", " %.3f ± %.3f |", AT(jain)},
};

static void write_policies(const struct sim_result (*r)[SIM_POLICY_N], unsigned seeds, FILE *f)
{
    fprintf(f, "\n| |");
    for (unsigned p = 0; p < SIM_POLICY_N; p++)
        fprintf(f, " %s |", sim_policy_name((enum sim_policy)p));
    fprintf(f, "\n|---|---|---|---|---|\n");
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        fprintf(f, "| %s |", lines[i].title);
        for (unsigned p = 0; p < SIM_POLICY_N; p++) {
            struct figure v = figure_of(r, seeds, p, lines[i].at);

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            fprintf(f, lines[i].format, v.mean, v.half);
        }
        fprintf(f, "\n");
    }
}

static void write_eta(const struct sim_result (*r)[SIM_POLICY_N], unsigned seeds, FILE *f)
{
    static const struct line eta[] = {
        {"`routing_eta_s` with `routing_gap_mean`", NULL, AT(eta_error_s)},
        {"position × mean handling time ÷ reps", NULL, AT(naive_error_s)},
        {"position × mean handling time ÷ the reps' capacity", NULL, AT(per_slot_error_s)},
    };

    fprintf(f, "\n| expected wait: median absolute error over a day, s | |\n|---|---|\n");
    for (unsigned i = 0; i < sizeof eta / sizeof *eta; i++) {
        struct figure v = figure_of(r, seeds, SIM_OURS, eta[i].at);

        fprintf(f, "| %s | %.1f ± %.1f |\n", eta[i].title, v.mean, v.half);
    }
}

static unsigned target(FILE *f, bool met, const char *what)
{
    fprintf(f, "- %s: %s\n", met ? "met" : "MISSED", what);
    return !met;
}

static bool is_lowest(const struct sim_result (*r)[SIM_POLICY_N], unsigned seeds, size_t at)
{
    for (unsigned p = SIM_OURS + 1; p < SIM_POLICY_N; p++)
        if (figure_of(r, seeds, p, at).mean <= figure_of(r, seeds, SIM_OURS, at).mean)
            return false;
    return true;
}

static unsigned write_targets(const struct sim_result (*r)[SIM_POLICY_N], unsigned seeds, FILE *f)
{
    double best = 0;
    unsigned missed = 0, overtaken = 0;
    int64_t most = 0;

    for (unsigned p = 0; p < SIM_POLICY_N; p++)
        best = fmax(best, figure_of(r, seeds, p, AT(service_level)).mean);
    for (unsigned s = 0; s < seeds; s++) {
        overtaken += r[s][SIM_OURS].overtaken;
        most = r[s][SIM_OURS].head_start_used_ms > most ? r[s][SIM_OURS].head_start_used_ms : most;
    }
    fprintf(f, "\n");
    missed += target(f, is_lowest(r, seeds, AT(longest_s[CLASS_URGENT])), "the longest wait of urgent is the lowest of all policies");
    missed += target(f, is_lowest(r, seeds, AT(longest_s[CLASS_CARE])), "the longest wait of care is the lowest of all policies");
    missed += target(f, figure_of(r, seeds, SIM_OURS, AT(service_level)).mean >= best - 1, "the service level is within 1 point of the best");
    missed += target(f, figure_of(r, seeds, SIM_OURS, AT(jain)).mean >= 0.95, "Jain's index of the reps' load is at least 0.95");
    missed += target(f, figure_of(r, seeds, SIM_OURS, AT(eta_error_s)).mean < figure_of(r, seeds, SIM_OURS, AT(naive_error_s)).mean,
                     "the expected wait errs less than position × mean handling time ÷ reps");
    missed += target(f, overtaken == 0, "nobody was overtaken by anybody who came later than the largest head start");
    fprintf(f, "  (60 min after; the most that happened was %.1f min)\n\n", (double)most / 60000);
    return missed;
}

/* ---- the plot: longest wait by class, a group of bars a class */

#define WIDTH 720
#define HEIGHT 330
#define LEFT 56
#define TOP 46
#define PLOT_W (WIDTH - LEFT - 16)
#define PLOT_H (HEIGHT - TOP - 40)

static const char *const colours[SIM_POLICY_N] = {"#1f6feb", "#8c959f", "#b08800", "#a475f9"};

static void write_bar(FILE *f, double x, double w, struct figure v, double scale, unsigned policy)
{
    double h = v.mean * scale, base = TOP + PLOT_H, mid = x + w / 2;

    fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, base - h, w - 2, h, colours[policy]);
    fprintf(f, "<path d=\"M%.1f %.1fV%.1f\" stroke=\"#24292f\"/>\n", mid - 1, base - (v.mean - v.half) * scale,
            base - (v.mean + v.half) * scale);
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"9\">%.0f</text>\n", mid - 1,
            base - (v.mean + v.half) * scale - 3, v.mean);
}

static void write_plot(const struct sim_result (*r)[SIM_POLICY_N], unsigned seeds, FILE *f)
{
    static const enum class order[CLASS_N] = {CLASS_URGENT, CLASS_CARE, CLASS_RETURNING, CLASS_VIP, CLASS_NORMAL};
    double top = 0, group = (double)PLOT_W / CLASS_N, bar = group / (SIM_POLICY_N + 1);

    for (unsigned k = 0; k < CLASS_N; k++)
        for (unsigned p = 0; p < SIM_POLICY_N; p++) {
            struct figure v = figure_of(r, seeds, p, AT(longest_s) + k * sizeof(double));

            top = fmax(top, v.mean + v.half);
        }
    top = ceil(top / 300) * 300;
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#24292f\" "
               "role=\"img\">\n<title>Longest wait by class and policy</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", WIDTH, HEIGHT);
    fprintf(f, "<text x=\"%d\" y=\"16\" font-weight=\"bold\">Longest wait of a day by class, seconds (mean of %u days, 95 %% interval)</text>\n", LEFT, seeds);
    for (unsigned p = 0; p < SIM_POLICY_N; p++)
        fprintf(f, "<rect x=\"%u\" y=\"26\" width=\"10\" height=\"10\" fill=\"%s\"/><text x=\"%u\" y=\"35\">%s</text>\n", LEFT + p * 130, colours[p],
                LEFT + p * 130 + 15, sim_policy_name((enum sim_policy)p));
    for (double y = 0; y <= top; y += 300)
        fprintf(f, "<path d=\"M%d %.1fH%d\" stroke=\"#d0d7de\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n", LEFT,
                TOP + PLOT_H - y / top * PLOT_H, WIDTH - 16, LEFT - 6, TOP + PLOT_H - y / top * PLOT_H + 4, y);
    for (unsigned k = 0; k < CLASS_N; k++) {
        double x = LEFT + group * k + bar / 2;

        for (unsigned p = 0; p < SIM_POLICY_N; p++)
            write_bar(f, x + bar * p, bar, figure_of(r, seeds, p, AT(longest_s) + order[k] * sizeof(double)), PLOT_H / top, p);
        fprintf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x + bar * SIM_POLICY_N / 2, HEIGHT - 20, class_name(order[k]));
    }
    fprintf(f, "</svg>\n");
}

unsigned sim_report(const struct sim_result (*r)[SIM_POLICY_N], unsigned seeds, FILE *f, FILE *svg)
{
    unsigned missed;

    write_policies(r, seeds, f);
    write_eta(r, seeds, f);
    missed = write_targets(r, seeds, f);
    if (svg)
        write_plot(r, seeds, svg);
    return missed;
}
