#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "failure.h"
#include "server_folder.h"

#define NS_PER_S UINT64_C(1000000000)
/* So that a run that ends itself in time finds its server alive. */
#define SECONDS_AFTER_DEADLINE 5
#define WHERE_TO_LOOK "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the keeper needs. */
struct kept {
  const struct server_kind *kind;
  struct server_place place;
  int cpu;
  int report;
  int log;
  time_t most_s;
};

static bool find_program(char *path, size_t room, const char *name) {
  char folders[] = WHERE_TO_LOOK;
  for (char *rest = NULL, *folder = strtok_r(folders, ":", &rest); folder != NULL; folder = strtok_r(NULL, ":", &rest)) {
    snprintf(path, room, "%s/%s", folder, name);
    if (access(path, X_OK) == 0) return true;
  }
  return false;
}

static const char *choose_program(const struct server_kind *kind) {
  static char path[128];
  for (const char *const *name = kind->programs; *name != NULL; name++)
    if (find_program(path, sizeof path, *name)) return path;
  unsupported(kind->need, "%s is not installed", kind->programs[0]);
}

static void choose_place(struct server_place *place, bool over_tcp) {
  uint64_t random[2];
  if (getrandom(random, sizeof random, 0) != sizeof random) fail("getrandom: %s", strerror(errno));
  server_folder_choose(place->folder, sizeof place->folder);
  snprintf(place->password, sizeof place->password, "%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
  snprintf(place->socket, sizeof place->socket, "%s/socket", place->folder);
  snprintf(place->settings, sizeof place->settings, "%s/settings", place->folder);
  place->port = over_tcp ? free_port() : 0;
}

/* One line to whoever measures, and the end of the keeper. */
static _Noreturn void report(const struct kept *kept, const char *what, const char *why) {
  char line[256];
  int length = snprintf(line, sizeof line, "%s: %s", what, why);
  ssize_t ignored = write(kept->report, line, length < (int)sizeof line ? (size_t)length : sizeof line - 1);
  (void)ignored;
  _exit(EXIT_FAILED);
}

static bool is_root(void) { return geteuid() == 0; }

/* A data server has no business with root's rights. */
static void give_away(const struct kept *kept, const char *path) {
  if (!is_root() || chown(path, NOBODY_ID, NOBODY_ID) == 0) return;
  const char *why = strerror(errno);
  server_folder_remove(kept->place.folder);
  report(kept, path, why);
}

static void make_folder(const struct kept *kept, const char *settings) {
  if (server_folder_make(kept->place.folder) < 0) report(kept, kept->place.folder, strerror(errno));
  int file = open(kept->place.settings, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 || write(file, settings, strlen(settings)) != (ssize_t)strlen(settings)) {
    const char *why = strerror(errno);
    server_folder_remove(kept->place.folder);
    report(kept, kept->place.settings, why);
  }
  close(file);
  give_away(kept, kept->place.settings);
  give_away(kept, kept->place.folder);
}

static bool drop_rights(void) {
  return !is_root() || (setgroups(0, NULL) == 0 && setgid(NOBODY_ID) == 0 && setuid(NOBODY_ID) == 0);
}

static _Noreturn void cannot(const char *what) {
  dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
  _exit(EXIT_FAILED);
}

/* In the child that becomes the server. */
static _Noreturn void become(const struct kept *kept, char *const *arguments, pid_t keeper) {
  static char *environment[] = {"LC_ALL=C", "PATH=" WHERE_TO_LOOK, NULL};
  sigset_t none;
  cpu_set_t cpus;
  sigemptyset(&none);
  CPU_ZERO(&cpus);
  CPU_SET((unsigned)kept->cpu, &cpus);
  if (dup2(kept->log, STDOUT_FILENO) < 0 || dup2(kept->log, STDERR_FILENO) < 0) _exit(EXIT_FAILED);
  if (sched_setaffinity(0, sizeof cpus, &cpus) != 0) cannot("sched_setaffinity");
  if (!drop_rights()) cannot("setuid");
  /* After that: a change of rights takes the parent's death signal back. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != keeper) cannot("prctl(PR_SET_PDEATHSIG)");
  if (chdir(kept->place.folder) != 0) cannot(kept->place.folder);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(kept->place.program, arguments, environment);
  cannot(kept->place.program);
}

/* The last line that the server wrote. */
static const char *last_words(const struct kept *kept) {
  static char said[4096];
  off_t end = lseek(kept->log, 0, SEEK_END);
  off_t from = end > (off_t)sizeof said - 1 ? end - ((off_t)sizeof said - 1) : 0;
  ssize_t bytes = pread(kept->log, said, sizeof said - 1, from);
  while (bytes > 0 && said[bytes - 1] == '\n') bytes--;
  if (bytes <= 0) return "it said nothing";
  said[bytes] = '\0';
  char *line = strrchr(said, '\n');
  line = line == NULL ? said : line + 1;
  return first_line(line, strlen(line));
}

/* All that may end the keeper waits in line until it asks. The parent's death is one of them. */
static void listen_for_ends(sigset_t *ends, pid_t parent) {
  const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGCHLD};
  sigemptyset(ends);
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaddset(ends, signals[i]);
  if (sigprocmask(SIG_BLOCK, ends, NULL) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) _exit(EXIT_FAILED);
  /* It may have died before that. */
  if (getppid() != parent) _exit(EXIT_FAILED);
}

/* Whoever waits for the end of what this process prints must not wait for the keeper, nor Ctrl-C reach it. */
static void step_aside(void) {
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) _exit(EXIT_FAILED);
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) dup2(nothing, file);
  setpgid(0, 0);
}

static _Noreturn void keep(struct kept *kept, pid_t parent) {
  sigset_t ends;
  struct server_command command = {0};
  struct timespec most = {.tv_sec = kept->most_s};
  pid_t self = getpid();
  listen_for_ends(&ends, parent);
  step_aside();
  kept->kind->compose(&command, &kept->place);
  make_folder(kept, command.settings);
  pid_t server = fork();
  if (server == 0) become(kept, command.arguments, self);
  int signal = 0;
  while (server > 0 && (signal = sigtimedwait(&ends, NULL, &most)) < 0 && errno == EINTR) continue;
  if (server > 0 && signal != SIGCHLD) kill(server, SIGKILL);
  if (server > 0) waitpid(server, NULL, 0);
  server_folder_remove(kept->place.folder);
  report(kept, kept->place.program, server < 0 ? "it could not be started" : signal == SIGCHLD ? last_words(kept) : "it was ended");
}

void server_start(struct server *server, const struct server_kind *kind, int cpu, bool over_tcp, uint64_t deadline_ns) {
  int ends[2];
  pid_t parent = getpid();
  server->place.program = choose_program(kind);
  server_folders_sweep();
  choose_place(&server->place, over_tcp);
  struct kept kept = {.kind = kind, .place = server->place, .cpu = cpu, .most_s = (time_t)(deadline_ns / NS_PER_S) + SECONDS_AFTER_DEADLINE};
  kept.log = memfd_create("hft-server-log", MFD_CLOEXEC);
  if (kept.log < 0 || pipe2(ends, O_CLOEXEC) != 0) fail("no room for what a server says: %s", strerror(errno));
  kept.report = ends[1];
  server->report = ends[0];
  server->keeper = fork();
  if (server->keeper < 0) fail("fork: %s", strerror(errno));
  if (server->keeper == 0) keep(&kept, parent);
  close(ends[1]);
  close(kept.log);
}

const char *server_why_ended(struct server *server) {
  static char line[256];
  struct pollfd report = {.fd = server->report, .events = POLLIN};
  if (poll(&report, 1, 0) == 0) return NULL;
  ssize_t bytes = read(server->report, line, sizeof line - 1);
  if (bytes <= 0) return "its keeper was killed";
  line[bytes] = '\0';
  return first_line(line, (size_t)bytes);
}

void server_end(struct server *server) {
  if (server->keeper <= 0) return;
  kill(server->keeper, SIGTERM);
  while (waitpid(server->keeper, NULL, 0) < 0 && errno == EINTR) continue;
  server->keeper = 0;
}
