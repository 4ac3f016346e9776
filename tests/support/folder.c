// Directories of tests; see folder.h.
#include "folder.h"

#include <stdio.h>
#include <stdlib.h>

int
folder_remove(const char *path)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf -- '%s'", path);
    return system(command);
}
