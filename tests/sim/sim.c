/* sim [SEEDS [TABLES.md PLOT.svg]]: runs the days, prints the tables, fails where a target is missed. Header: sim.h. */
#include "sim.h"

#include <stdlib.h>

static FILE *open_or_die(const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f) {
        perror(path);
        exit(2);
    }
    return f;
}

int main(int argc, char **argv)
{
    static struct sim_result r[SIM_SEEDS][SIM_POLICY_N];
    static struct sim_day day;
    unsigned seeds = argc > 1 ? (unsigned)atoi(argv[1]) : SIM_SEEDS, missed;
    FILE *tables = argc > 3 ? open_or_die(argv[2]) : NULL, *plot = argc > 3 ? open_or_die(argv[3]) : NULL;

    if (seeds < 2 || seeds > SIM_SEEDS) {
        fprintf(stderr, "sim: 2 to %d seeds\n", SIM_SEEDS);
        return 2;
    }
    for (unsigned s = 0; s < seeds; s++) {
        sim_day_make(s + 1, &day);
        for (unsigned p = 0; p < SIM_POLICY_N; p++)
            sim_run(&day, (enum sim_policy)p, &r[s][p]);
    }
    missed = sim_report((const struct sim_result(*)[SIM_POLICY_N])r, seeds, stdout, NULL);
    if (tables) {
        sim_report((const struct sim_result(*)[SIM_POLICY_N])r, seeds, tables, plot);
        fclose(tables);
        fclose(plot);
    }
    if (missed)
        fprintf(stderr, "sim: %u of the targets missed\n", missed);
    return missed != 0;
}
