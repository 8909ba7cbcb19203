#include "signal_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failure.h"

/* Of proc_pid_stat(5). */
enum { FIELD_SESSION = 6, FIELD_START = 22 };

static unsigned long long parse(const char *what, const char *text) {
  char *end;
  errno = 0;
  unsigned long long number = text == NULL ? 0 : strtoull(text, &end, 10);
  if (text == NULL || errno != 0 || end == text || *end != '\0') usage("%s: expected a number, got \"%.40s\"", what, text == NULL ? "" : text);
  return number;
}

/* 0 when there is no such process. Neither field is ever 0 of one that runs apart from the kernel's own. */
static unsigned long long read_field(pid_t pid, int wanted) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t bytes = read(file, text, sizeof text - 1);
  close(file);
  if (bytes <= 0) return 0;
  text[bytes] = '\0';
  char *field = strrchr(text, ')');
  for (int number = 2; field != NULL && number < wanted; number++) {
    field = strchr(field, ' ');
    if (field != NULL) field++;
  }
  return field == NULL ? 0 : strtoull(field, NULL, 10);
}

static int parse_signal(const char *name) {
  static const struct {
    const char *name;
    int number;
  } signals[] = {{"SIGTERM", SIGTERM}, {"SIGINT", SIGINT}, {"SIGHUP", SIGHUP}, {"SIGQUIT", SIGQUIT}, {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGABRT", SIGABRT}, {"SIGKILL", SIGKILL}};
  for (size_t i = 0; name != NULL && i < sizeof signals / sizeof signals[0]; i++)
    if (strcmp(signals[i].name, name) == 0) return signals[i].number;
  usage("expected the name of a signal such as SIGTERM");
}

/* The process that the descriptor stands for cannot change: its start time is compared after it was opened. */
static int send_signal(pid_t pid, unsigned long long start, int number) {
  int process = (int)syscall(SYS_pidfd_open, pid, 0);
  if (process < 0) {
    if (errno == ESRCH) return EXIT_DONE;
    fail("pidfd_open %d: %s", (int)pid, strerror(errno));
  }
  bool is_same = read_field(pid, FIELD_START) == start;
  bool sent = !is_same || syscall(SYS_pidfd_send_signal, process, number, NULL, 0) == 0 || errno == ESRCH;
  int reason = errno;
  close(process);
  if (!sent) fail("signal to %d: %s", (int)pid, strerror(reason));
  return EXIT_DONE;
}

int signal_process(char **arguments) {
  pid_t pid = (pid_t)parse("the process", arguments[0]);
  unsigned long long start = parse("its start time", arguments[1]);
  return send_signal(pid, start, parse_signal(arguments[2]));
}

/* Kills every process that is meant, this one apart. */
static int kill_all(bool (*is_meant)(pid_t pid, const void *what), const void *what) {
  DIR *processes = opendir("/proc");
  if (processes == NULL) fail("/proc: %s", strerror(errno));
  for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    if (pid <= 1 || pid == getpid()) continue;
    unsigned long long start = read_field(pid, FIELD_START);
    if (is_meant(pid, what)) send_signal(pid, start, SIGKILL);
  }
  closedir(processes);
  return EXIT_DONE;
}

static bool is_of_session(pid_t pid, const void *session) {
  return read_field(pid, FIELD_SESSION) == (unsigned long long)*(const pid_t *)session;
}

int end_session(char **arguments) {
  pid_t session = (pid_t)parse("the session", arguments[0]);
  if (session <= 1) usage("the session %d is none of a trading process", (int)session);
  return kill_all(is_of_session, &session);
}

#define INVOCATION "INVOCATION_ID"

/* Its environment as it was started with, proc_pid_environ(5). */
static bool is_of_invocation(pid_t pid, const void *assignment) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  char *variable = NULL;
  size_t room = 0;
  bool found = false;
  while (!found && getdelim(&variable, &room, '\0', file) > 0) found = strcmp(variable, assignment) == 0;
  free(variable);
  fclose(file);
  return found;
}

int end_invocation(char **arguments) {
  if (*arguments != NULL) usage("expected nothing after end-invocation: " INVOCATION " says which");
  const char *id = getenv(INVOCATION);
  if (id == NULL || strspn(id, "0123456789abcdef") != 32 || id[32] != '\0') usage("expected " INVOCATION " of systemd in the environment");
  char assignment[sizeof INVOCATION + 1 + 32];
  snprintf(assignment, sizeof assignment, INVOCATION "=%s", id);
  return kill_all(is_of_invocation, assignment);
}
