/*
 * Private folders of data servers that were started for a run, below /tmp. Whoever keeps one holds a lock on it (flock(2)), which the
 * kernel drops with the process: a folder that nobody holds is of a keeper that was killed.
 */
#ifndef HFT_SERVER_FOLDER_H
#define HFT_SERVER_FOLDER_H

#include <stddef.h>

#define NOBODY_ID 65534
/* A path that nobody else has. */
void server_folder_choose(char *path, size_t room);

/* Makes it and holds it as long as this process lives. -1 with errno. */
int server_folder_make(const char *path);

/* With all that is in it. */
void server_folder_remove(const char *path);

/* Removes those whose keepers are dead. */
void server_folders_sweep(void);

#endif
