/*
 * hft-probe keep-trace: holds a private tracing instance as long as whoever asked for it lives, and takes it away then, however it
 * ends: a signal, the parent's death, the deadline. Only its own SIGKILL leaves it behind; then the parent takes it away, and
 * when that is gone as well the next run does, which finds the owner in the instance's name.
 *
 * osnoise has options that are the same for the whole machine. The one that must change (no loop of its own) is put back first;
 * the instance goes last, since its name (`...-w`) says that there is something to put back.
 *
 * Kprobe events are the whole machine's too. The one that is added on request (src/latency/attribution/shootdown-event.ts) is in
 * a group that is named after the instance. Its file is never truncated: that would take away everybody's.
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
/* The kernel's own limit. */
#define LONGEST_GROUP 64
#define NS_PER_S UINT64_C(1000000000)
#define REMOVAL_TRIES 200
#define REMOVAL_PAUSE_NS 25000000

struct keeper {
  const char *tracefs;
  const char *instance;
  pid_t parent;
  uint64_t deadline_s;
  bool without_workload; /* osnoise's */
  bool shootdown_event;
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

/* A group is an identifier of C: hft_4026531836_70_500. */
static void group_of(char *group, const struct keeper *keeper) {
  int length = snprintf(group, LONGEST_GROUP, "%s", keeper->instance);
  if (length < 0 || length >= LONGEST_GROUP) usage("the name of the instance is too long");
  for (char *dash = group; (dash = strchr(dash, '-')) != NULL;) *dash = '_';
}

static bool put_event(const struct keeper *keeper, const char *action, const char *function) {
  char path[LONGEST_PATH], group[LONGEST_GROUP], line[LONGEST_PATH];
  group_of(group, keeper);
  snprintf(line, sizeof line, "%s:%s/tlb_shootdown %s\n", action, group, function);
  path_of(path, keeper, "kprobe_events");
  return put(path, line);
}

/* Where kprobes are not to be had (lockdown, another architecture) shootdowns stay what the kernel calls them. */
static bool add_shootdown_event(const struct keeper *keeper) {
  /* The second is its name in older kernels. */
  return put_event(keeper, "p", "flush_tlb_func") || put_event(keeper, "p", "flush_tlb_func_remote");
}

static const struct timespec removal_pause = {.tv_nsec = REMOVAL_PAUSE_NS};

static void remove_shootdown_event(const struct keeper *keeper) {
  char path[LONGEST_PATH], group[LONGEST_GROUP], file[LONGEST_GROUP + 20];
  group_of(group, keeper);
  snprintf(file, sizeof file, "/events/%s/enable", group);
  own_path(path, keeper, file);
  put(path, "0");
  /* EBUSY while somebody else records it. */
  for (int i = 0; i < REMOVAL_TRIES; i++) {
    if (put_event(keeper, "-", "") || errno == ENOENT) return;
    if (errno != EBUSY) break;
    nanosleep(&removal_pause, NULL);
  }
  fail("kprobe_events: the event of %s cannot be taken away: %s", keeper->instance, strerror(errno));
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
  if (keeper->shootdown_event) remove_shootdown_event(keeper);
  own_path(path, keeper, "");
  /* EBUSY while a dying parent's files are still being closed. */
  for (int i = 0; i < REMOVAL_TRIES; i++) {
    if (rmdir(path) == 0 || errno == ENOENT) return;
    if (errno != EBUSY) break;
    nanosleep(&removal_pause, NULL);
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
    else if (strcmp(*arguments, "--shootdown-event") == 0) keeper.shootdown_event = parse("shootdown-event", value) != 0;
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
  keeper.shootdown_event = keeper.shootdown_event && add_shootdown_event(&keeper);
  static const char ready[] = "ready\n";
  bool told = write(STDOUT_FILENO, ready, strlen(ready)) == (ssize_t)strlen(ready);
  struct timespec most = {.tv_sec = (time_t)keeper.deadline_s};
  while (told && sigtimedwait(&ends, NULL, &most) < 0 && errno == EINTR) continue;
  take_away(&keeper);
  return EXIT_DONE;
}
