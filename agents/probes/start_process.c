/*
 * hft-probe start: becomes a trading process, where there is no systemd to start it: CPUs, NUMA policy, limits, account, folder, output,
 * environment. In this order, since the account comes with fewer rights. The pid stays the same.
 *
 * What cannot be done ends it with the exit code that systemd has for it (systemd.exec(5), "Process Exit Codes"), and a line in the log.
 */
#include "start_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "cpu_list.h"
#include "failure.h"
#include "partition.h"

enum {
  EXIT_CHDIR = 200, EXIT_NICE = 201, EXIT_EXEC = 203, EXIT_LIMITS = 205, EXIT_OOM_ADJUST = 206, EXIT_STDOUT = 209, EXIT_SETSCHEDULER = 214,
  EXIT_CPUAFFINITY = 215, EXIT_GROUP = 216, EXIT_USER = 217, EXIT_CGROUP = 219, EXIT_NUMA_POLICY = 242,
  EXIT_ENVIRONMENT = 243 /* EXIT_CREDENTIALS of systemd: what it needs to know cannot be read. */
};

#define MOST_VARIABLES 512
#define MOST_GROUPS 256
#define MOST_NODES 1024
#define NODE_WORDS (MOST_NODES / (8 * sizeof(unsigned long)))

static char *environment[MOST_VARIABLES + 1];
static size_t variable_count;
static gid_t groups[MOST_GROUPS];
static size_t group_count;

static _Noreturn void end_with(int code, const char *what) {
  fprintf(stderr, "hft: %s: %s\n", what, strerror(errno));
  _exit(code);
}

static long parse_number(const char *name, const char *text) {
  char *end;
  errno = 0;
  long number = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0') usage("%.40s: expected a number, got \"%.40s\"", name, text);
  return number;
}

static void open_log(const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0) end_with(EXIT_STDOUT, path);
}

static void set_cpus(const char *text) {
  cpu_set_t set, now;
  if (!cpu_list_parse(text, &set)) usage("--cpus: expected CPUs such as 0-1,3, got \"%.80s\"", text);
  if (sched_setaffinity(0, sizeof set, &set) != 0) end_with(EXIT_CPUAFFINITY, "sched_setaffinity");
  errno = EINVAL;
  if (sched_getaffinity(0, sizeof now, &now) != 0 || !CPU_EQUAL(&set, &now)) end_with(EXIT_CPUAFFINITY, "sched_setaffinity took other CPUs");
}

/* POLICY:NODES, set_mempolicy(2). */
static void set_memory(char *text) {
  static const struct {
    const char *name;
    int mode;
  } policies[] = {{"preferred", 1}, {"bind", 2}, {"interleave", 3}};
  unsigned long nodes[NODE_WORDS] = {0};
  cpu_set_t set;
  char *colon = strchr(text, ':');
  if (colon == NULL || !cpu_list_parse(colon + 1, &set)) usage("--memory: expected POLICY:NODES, got \"%.80s\"", text);
  *colon = '\0';
  for (size_t node = 0; node < MOST_NODES; node++)
    if (CPU_ISSET(node, &set)) nodes[node / (8 * sizeof nodes[0])] |= 1UL << (node % (8 * sizeof nodes[0]));
  for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
    if (strcmp(policies[i].name, text) != 0) continue;
    if (syscall(SYS_set_mempolicy, policies[i].mode, nodes, MOST_NODES + 1) != 0) end_with(EXIT_NUMA_POLICY, "set_mempolicy");
    return;
  }
  usage("--memory: expected bind, preferred or interleave, got \"%.40s\"", text);
}

/* NAME=NUMBER or NAME=unlimited; the nice limit as setrlimit(2) has it, 20 less the nice value. */
static void set_limit(char *text) {
  static const struct {
    const char *name;
    int resource;
  } limits[] = {{"rtprio", RLIMIT_RTPRIO}, {"memlock", RLIMIT_MEMLOCK}, {"nofile", RLIMIT_NOFILE}, {"nice", RLIMIT_NICE}};
  char *value = strchr(text, '=');
  if (value == NULL) usage("--limit: expected NAME=NUMBER, got \"%.40s\"", text);
  *value++ = '\0';
  rlim_t number = strcmp(value, "unlimited") == 0 ? RLIM_INFINITY : (rlim_t)parse_number("--limit", value);
  struct rlimit limit = {number, number};
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    if (strcmp(limits[i].name, text) != 0) continue;
    if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) != 0) end_with(EXIT_LIMITS, text);
    return;
  }
  usage("--limit: there is none of the name \"%.40s\"", text);
}

static void set_batch(const char *nice) {
  struct sched_param none = {.sched_priority = 0};
  if (sched_setscheduler(0, SCHED_BATCH, &none) != 0) end_with(EXIT_SETSCHEDULER, "sched_setscheduler");
  if (setpriority(PRIO_PROCESS, 0, (int)parse_number("--batch", nice)) != 0) end_with(EXIT_NICE, "setpriority");
}

/* What would be put into a partition that is not in effect would share its CPUs with everybody. */
static void require_partition(char *text) {
  struct partition partition = partition_parse(text);
  const char *refusal = partition_refusal(&partition);
  if (refusal == NULL) return;
  fprintf(stderr, "hft: %s\n", refusal);
  _exit(EXIT_CGROUP);
}

static void set_oom_adjust(const char *text) {
  int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, text, strlen(text)) < 0) end_with(EXIT_OOM_ADJUST, "oom_score_adj");
  close(file);
}

static void add_group(const char *text) {
  if (group_count == MOST_GROUPS) usage("--group: at most %d", MOST_GROUPS);
  groups[group_count++] = (gid_t)parse_number("--group", text);
}

/* Its groups first, the first of which is its own: afterwards it may not. */
static void become(uid_t user) {
  if (group_count == 0) usage("--user needs --group");
  if (setgroups(group_count, groups) != 0 || setresgid(groups[0], groups[0], groups[0]) != 0) end_with(EXIT_GROUP, "setgroups");
  if (setresuid(user, user, user) != 0) end_with(EXIT_USER, "setresuid");
}

static void add_variable(char *assignment) {
  if (variable_count == MOST_VARIABLES) usage("--set: at most %d variables", MOST_VARIABLES);
  if (strchr(assignment, '=') == NULL) usage("--set: expected NAME=VALUE");
  environment[variable_count++] = assignment;
}

static char *read_whole(const char *path) {
  FILE *file = fopen(path, "re");
  if (file == NULL) end_with(EXIT_ENVIRONMENT, path);
  char *text = NULL;
  size_t room = 0;
  errno = 0;
  ssize_t length = getdelim(&text, &room, '\0', file);
  if (length < 0 && !feof(file)) end_with(EXIT_ENVIRONMENT, path);
  fclose(file);
  return length < 0 ? strdup("") : text;
}

/* What a double-quoted value of EnvironmentFile= means, in its own place; undefined text after it is left. Returns what follows the closing quote. */
static char *unquote(char *value) {
  char *to = value;
  char *from = value + 1;
  while (*from != '"') {
    if (*from == '\\') from++;
    if (*from == '\0') return NULL;
    *to++ = *from++;
  }
  *to = '\0';
  return from + 1;
}

/* Lines of NAME="VALUE", systemd.exec(5) EnvironmentFile=. On no command line, where everybody could read it. */
static void read_environment(const char *path) {
  for (char *line = read_whole(path); *line != '\0';) {
    char *equals = strchr(line, '=');
    char *end = equals == NULL || equals[1] != '"' ? NULL : unquote(equals + 1);
    if (end == NULL || *end != '\n') {
      errno = EINVAL;
      end_with(EXIT_ENVIRONMENT, path);
    }
    add_variable(line);
    line = end + 1;
  }
}

static void set_alarm(long ms) {
  struct itimerval when = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
  if (setitimer(ITIMER_REAL, &when, NULL) != 0) end_with(EXIT_LIMITS, "setitimer");
}

static void take_option(const char *name, char *value) {
  if (strcmp(name, "--log") == 0) open_log(value);
  else if (strcmp(name, "--partition") == 0) require_partition(value);
  else if (strcmp(name, "--cpus") == 0) set_cpus(value);
  else if (strcmp(name, "--memory") == 0) set_memory(value);
  else if (strcmp(name, "--limit") == 0) set_limit(value);
  else if (strcmp(name, "--oom-score-adjust") == 0) set_oom_adjust(value);
  else if (strcmp(name, "--batch") == 0) set_batch(value);
  else if (strcmp(name, "--nice") == 0) {
    if (setpriority(PRIO_PROCESS, 0, (int)parse_number(name, value)) != 0) end_with(EXIT_NICE, "setpriority");
  } else if (strcmp(name, "--group") == 0) add_group(value);
  else if (strcmp(name, "--user") == 0) become((uid_t)parse_number(name, value));
  else if (strcmp(name, "--directory") == 0) {
    if (chdir(value) != 0) end_with(EXIT_CHDIR, value);
  } else if (strcmp(name, "--set") == 0) add_variable(value);
  else if (strcmp(name, "--environment") == 0) read_environment(value);
  /* Outlives the exec: a health check that does not answer is ended by the kernel. */
  else if (strcmp(name, "--alarm-ms") == 0) set_alarm(parse_number(name, value));
  else usage("there is no option %.40s here", name);
}

_Noreturn void start_process(char **arguments) {
  for (; *arguments != NULL && strcmp(*arguments, "--") != 0; arguments += 2) {
    if (arguments[1] == NULL) usage("%.40s needs a value", *arguments);
    take_option(*arguments, arguments[1]);
  }
  if (*arguments == NULL || arguments[1] == NULL) usage("expected -- and a program");
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(arguments[1], arguments + 1, environment);
  end_with(EXIT_EXEC, arguments[1]);
}
