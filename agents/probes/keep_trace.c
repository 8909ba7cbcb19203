/*
 * hft-probe keep-trace: holds a private tracing instance as long as whoever asked for it lives, and takes it away then, however it
 * ends: a signal, the parent's death, the deadline. Only its own SIGKILL leaves it behind; then the parent takes it away, and
 * when that is gone as well the next run does, which finds the owner in the instance's name.
 *
 * osnoise has options that are the same for the whole machine. The one that must change (no loop of its own) is put back first;
 * the instance goes last, since its name (`...-w`) says that there is something to put back.
 */
#include "keep_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"

#define LONGEST_PATH 512
#define NS_PER_S UINT64_C(1000000000)
#define REMOVAL_TRIES 200
#define REMOVAL_PAUSE_NS 25000000

struct keeper {
  const char *tracefs;
  const char *instance;
  pid_t parent;
  uint64_t deadline_s;
  bool without_workload; /* osnoise's */
};

static void path_of(char *path, const struct keeper *keeper, const char *name) {
  int length = snprintf(path, LONGEST_PATH, "%s/%s", keeper->tracefs, name);
  if (length < 0 || length >= LONGEST_PATH) usage("the path of %.40s is too long", name);
}

static void own_path(char *path, const struct keeper *keeper, const char *file) {
  char name[LONGEST_PATH];
  int length = snprintf(name, sizeof name, "instances/%s%s", keeper->instance, file);
  if (length < 0 || length >= LONGEST_PATH) usage("the name of the instance is too long");
  path_of(path, keeper, name);
}

/* Whether the kernel took it. */
static bool put(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  bool taken = write(file, text, strlen(text)) == (ssize_t)strlen(text);
  close(file);
  return taken;
}

static void make(const struct keeper *keeper) {
  char path[LONGEST_PATH];
  own_path(path, keeper, "");
  if (mkdir(path, 0700) != 0) {
    if (errno == EACCES || errno == EPERM || errno == EROFS)
      unsupported("root, and a writable tracefs", "no tracing instance can be made: %s", strerror(errno));
    fail("mkdir %s: %s", path, strerror(errno));
  }
  if (!keeper->without_workload) return;
  path_of(path, keeper, "osnoise/options");
  if (put(path, "NO_OSNOISE_WORKLOAD")) return;
  int reason = errno;
  own_path(path, keeper, "");
  rmdir(path);
  fail("osnoise/options does not take NO_OSNOISE_WORKLOAD: %s", strerror(reason));
}

static void take_away(const struct keeper *keeper) {
  char path[LONGEST_PATH];
  own_path(path, keeper, "/tracing_on");
  put(path, "0");
  own_path(path, keeper, "/current_tracer");
  put(path, "nop");
  if (keeper->without_workload) {
    path_of(path, keeper, "osnoise/options");
    /* Without it the name must go on saying so. */
    if (!put(path, "OSNOISE_WORKLOAD")) fail("osnoise/options does not take OSNOISE_WORKLOAD: %s", strerror(errno));
  }
  own_path(path, keeper, "");
  struct timespec pause = {.tv_nsec = REMOVAL_PAUSE_NS};
  /* EBUSY while a dying parent's files are still being closed. */
  for (int i = 0; i < REMOVAL_TRIES; i++) {
    if (rmdir(path) == 0 || errno == ENOENT) return;
    if (errno != EBUSY) break;
    nanosleep(&pause, NULL);
  }
  fail("rmdir %s: %s", path, strerror(errno));
}

static uint64_t parse(const char *name, const char *text) {
  char *end;
  errno = 0;
  uint64_t number = strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0') usage("--%s: expected a number, got \"%.40s\"", name, text);
  return number;
}

static struct keeper parse_options(char **arguments) {
  struct keeper keeper = {.tracefs = "/sys/kernel/tracing"};
  for (; *arguments != NULL; arguments += 2) {
    const char *value = arguments[1];
    if (value == NULL) usage("%.40s needs a value", *arguments);
    if (strcmp(*arguments, "--tracefs") == 0) keeper.tracefs = value;
    else if (strcmp(*arguments, "--instance") == 0) keeper.instance = value;
    else if (strcmp(*arguments, "--parent") == 0) keeper.parent = (pid_t)parse("parent", value);
    else if (strcmp(*arguments, "--deadline-ns") == 0) keeper.deadline_s = parse("deadline-ns", value) / NS_PER_S + 1;
    else if (strcmp(*arguments, "--without-workload") == 0) keeper.without_workload = parse("without-workload", value) != 0;
    else usage("there is no option %.40s here", *arguments);
  }
  if (keeper.instance == NULL || strncmp(keeper.instance, "hft-", 4) != 0 || strchr(keeper.instance, '/') != NULL)
    usage("--instance: expected a name that begins with hft-");
  if (keeper.deadline_s == 0) usage("--deadline-ns is missing: when it ends by itself");
  return keeper;
}

/* All that may end it wait in line until it asks. The parent's death is one of them. */
static void listen(sigset_t *ends, const struct keeper *keeper) {
  sigemptyset(ends);
  const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaddset(ends, signals[i]);
  if (sigprocmask(SIG_BLOCK, ends, NULL) != 0) fail("sigprocmask: %s", strerror(errno));
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) fail("prctl(PR_SET_PDEATHSIG): %s", strerror(errno));
  /* It may have died before that. */
  if (keeper->parent != 0 && getppid() != keeper->parent) fail("the parent ended before the start");
}

int keep_trace(char **arguments) {
  struct keeper keeper = parse_options(arguments);
  sigset_t ends;
  listen(&ends, &keeper);
  make(&keeper);
  static const char ready[] = "ready\n";
  bool told = write(STDOUT_FILENO, ready, strlen(ready)) == (ssize_t)strlen(ready);
  struct timespec most = {.tv_sec = (time_t)keeper.deadline_s};
  while (told && sigtimedwait(&ends, NULL, &most) < 0 && errno == EINTR) continue;
  take_away(&keeper);
  return EXIT_DONE;
}
