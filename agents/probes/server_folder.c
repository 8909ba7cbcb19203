#include "server_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"

#define PARENT "/tmp"
#define PREFIX "hft-server-"
/* An empty one may be about to be locked by who made it. */
#define EMPTY_FOR_S 60

void server_folder_choose(char *path, size_t room) {
  uint64_t random;
  if (getrandom(&random, sizeof random, 0) != sizeof random) fail("getrandom: %s", strerror(errno));
  snprintf(path, room, PARENT "/" PREFIX "%016llx", (unsigned long long)random);
}

int server_folder_make(const char *path) {
  if (mkdir(path, 0700) != 0) return -1;
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return -1;
  while (flock(folder, LOCK_EX) != 0)
    if (errno != EINTR) return -1;
  return folder;
}

/* Closes it. The number of entries that there were. */
static int empty_folder(int opened) {
  int entries = 0;
  DIR *folder = fdopendir(opened);
  if (folder == NULL) {
    close(opened);
    return 0;
  }
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) entries += unlinkat(dirfd(folder), entry->d_name, 0) == 0;
  closedir(folder);
  return entries;
}

void server_folder_remove(const char *path) {
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder >= 0) empty_folder(folder);
  rmdir(path);
}

/* Anybody can make a folder of such a name in /tmp: one that hft did not make, or may not have, is left alone. */
static bool is_ours(const struct stat *about) {
  uid_t self = geteuid();
  bool owned = about->st_uid == self || (self == 0 && about->st_uid == NOBODY_ID);
  return S_ISDIR(about->st_mode) && (about->st_mode & 07777) == 0700 && owned;
}

static void sweep(const char *path) {
  struct stat about;
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return;
  if (fstat(folder, &about) != 0 || !is_ours(&about) || flock(folder, LOCK_EX | LOCK_NB) != 0) {
    close(folder);
    return;
  }
  /* The lock goes when it is closed; what is in it is gone by then, and rmdir takes nothing else. */
  if (empty_folder(folder) > 0 || time(NULL) - about.st_mtime > EMPTY_FOR_S) rmdir(path);
}

void server_folders_sweep(void) {
  DIR *parent = opendir(PARENT);
  if (parent == NULL) return;
  for (struct dirent *entry; (entry = readdir(parent)) != NULL;) {
    char path[64];
    bool fits = snprintf(path, sizeof path, PARENT "/%s", entry->d_name) < (int)sizeof path;
    if (fits && strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0) sweep(path);
  }
  closedir(parent);
}
