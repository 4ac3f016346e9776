// Directories of tests.
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H

// Removes a directory with all that is in it; 0 when it is gone.
int folder_remove(const char *path);

#endif
