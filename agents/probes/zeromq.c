/*
 * zeromq: libzmq is loaded at run time, which a static program cannot do. So this probe is a program of its own beside this one
 * (zmq/main.c), linked dynamically and made of the same files: `hft-probe-zmq`. It takes this process's place.
 */
#include "zeromq.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"

static const char ENDING[] = "-zmq";

void zeromq(char **argv) {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof ENDING);
  if (length < 0) fail("/proc/self/exe: %s", strerror(errno));
  memcpy(path + length, ENDING, sizeof ENDING);
  execv(path, argv);
  if (errno == ENOENT)
    unsupported("the hft package of this architecture, or a build with gcc and libc6-dev on a system of the same C library",
                "%s is not there or has no C library here", path);
  fail("%s: %s", path, strerror(errno));
}
