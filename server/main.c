#include "cli/cli.h"

#include <malloc.h>

int main(int argc, char **argv)
{
    mallopt(M_ARENA_MAX, 2); /* the loop's, and one for all that work beside it: each more would hold 130 KB for good */
    return cli_main(argc, argv);
}
