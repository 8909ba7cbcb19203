#include "clock_error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define FIELDS 14

/* Of https://chrony-project.org/doc/4.6/chronyc.html, tracking. */
enum { REFERENCE, NAME, STRATUM, TIME, SYSTEM_TIME, LAST_OFFSET, RMS_OFFSET, FREQUENCY, RESIDUAL, SKEW, ROOT_DELAY, ROOT_DISPERSION, INTERVAL, LEAP };

static const char *const PLACES[] = {"/usr/bin/chronyc", "/usr/local/bin/chronyc", "/bin/chronyc", NULL};

void clock_error_read(struct clock_error *error, char *line) {
  char *fields[FIELDS];
  int count = 0;
  *error = (struct clock_error){0};
  line[strcspn(line, "\r\n")] = '\0';
  for (char *rest = line; rest != NULL && count < FIELDS;) fields[count++] = strsep(&rest, ",");
  /* An unsynchronised clock says an offset of 0 as well. */
  bool is_synchronised = count == FIELDS && strcmp(fields[REFERENCE], "00000000") != 0 && strcmp(fields[LEAP], "Not synchronised") != 0;
  if (!is_synchronised) {
    snprintf(error->who, sizeof error->who, "chrony has not synchronised the clock");
    return;
  }
  double offset_s = strtod(fields[SYSTEM_TIME], NULL);
  double most_s = strtod(fields[ROOT_DELAY], NULL) / 2 + strtod(fields[ROOT_DISPERSION], NULL) + (offset_s < 0 ? -offset_s : offset_s);
  error->is_known = most_s > 0 && most_s < 1e6;
  error->most_ns = error->is_known ? (uint64_t)(most_s * 1e9) + 1 : 0;
  snprintf(error->who, sizeof error->who, error->is_known ? "chrony, stratum %.4s" : "chrony gives no bound", fields[STRATUM]);
}

static const char *find_program(void) {
  for (const char *const *place = PLACES; *place != NULL; place++)
    if (access(*place, X_OK) == 0) return *place;
  return NULL;
}

static _Noreturn void become(const char *program, int out) {
  static char *environment[] = {"LC_ALL=C", NULL};
  char *arguments[] = {(char *)(uintptr_t)program, "-n", "-c", "tracking", NULL};
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
  execve(program, arguments, environment);
  _exit(127);
}

static size_t read_answer(int file, char *text, size_t room) {
  struct pollfd wait = {.fd = file, .events = POLLIN};
  size_t length = 0;
  while (length < room - 1 && poll(&wait, 1, PATIENCE_MS) > 0) {
    ssize_t got = read(file, text + length, room - 1 - length);
    if (got <= 0) break;
    length += (size_t)got;
  }
  text[length] = '\0';
  return length;
}

void clock_error_ask(struct clock_error *error) {
  const char *program = find_program();
  char answer[512];
  int ends[2];
  *error = (struct clock_error){.who = "chronyc is not installed"};
  if (program == NULL) return;
  snprintf(error->who, sizeof error->who, "chronyc cannot be asked");
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  pid_t child = fork();
  if (child == 0) become(program, ends[1]);
  close(ends[1]);
  size_t length = child < 0 ? 0 : read_answer(ends[0], answer, sizeof answer);
  close(ends[0]);
  if (child > 0) {
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  }
  if (length == 0) snprintf(error->who, sizeof error->who, "chronyd does not answer");
  else clock_error_read(error, answer);
}
