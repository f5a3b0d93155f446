#include "cli/cli.h"

#include <malloc.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
    umask(077); /* what people asked and who works here stands in the files */
    mallopt(M_ARENA_MAX, 2); /* the loop's, and one for all that work beside it: each more would hold 130 KB for good */
    return cli_main(argc, argv);
}
