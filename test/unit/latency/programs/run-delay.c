/*
 * `run-delay CPU SECONDS`: how long the kernel says that the SCHED_FIFO thread of hft-probe on this CPU waited there although it would run
 * (the second number of /proc/PID/task/TID/schedstat), twenty times a second. Ends after so many seconds, with SIGTERM, or with its parent,
 * and prints then, a line each:
 *
 *   run-delay FROM TO NS        FROM and TO in ns of CLOCK_MONOTONIC_RAW
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
#define SAMPLE_NS 50000000L
#define MOST_SAMPLES (1 << 18)
#define LONGEST_PATH 512
/* proc_pid_stat(5), counted from the state, which is field 3. */
#define PROCESSOR (39 - 3)
#define POLICY (41 - 3)

struct sample {
  int64_t from, to;
  uint64_t ns;
};

static struct sample samples[MOST_SAMPLES];
static int sample_count;
static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static int64_t raw_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static bool read_file(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t bytes = read(file, text, size - 1);
  close(file);
  text[bytes > 0 ? bytes : 0] = '\0';
  return bytes > 0;
}

static bool is_measuring(const char *task, int cpu) {
  char path[LONGEST_PATH], text[1024];
  long fields[POLICY + 1] = {0};
  snprintf(path, sizeof path, "%.400s/stat", task);
  if (!read_file(path, text, sizeof text) || strstr(text, "(hft-probe)") == NULL) return false;
  char *at = strrchr(text, ')') + 3;
  for (int field = 1; field <= POLICY; field++) fields[field] = strtol(at, &at, 10);
  return fields[PROCESSOR] == cpu && fields[POLICY] == SCHED_FIFO;
}

/* The folder of the first thread in `folder` for which it holds; processes are looked into. */
static bool find(const char *folder, int cpu, bool has_threads, char *found) {
  DIR *entries = opendir(folder);
  if (entries == NULL) return false;
  bool is_found = false;
  for (struct dirent *entry; !is_found && (entry = readdir(entries)) != NULL;) {
    char path[LONGEST_PATH];
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    snprintf(path, sizeof path, "%.200s/%.20s%s", folder, entry->d_name, has_threads ? "" : "/task");
    is_found = has_threads ? is_measuring(path, cpu) : find(path, cpu, true, found);
    if (is_found && has_threads) snprintf(found, LONGEST_PATH, "%s", path);
  }
  closedir(entries);
  return is_found;
}

static void sample(const char *task, uint64_t *before, int64_t *from) {
  char path[LONGEST_PATH], text[128];
  unsigned long long ran, waited;
  snprintf(path, sizeof path, "%.400s/schedstat", task);
  int64_t begun = raw_ns();
  if (!read_file(path, text, sizeof text) || sscanf(text, "%llu %llu", &ran, &waited) != 2) return;
  int64_t to = begun + (raw_ns() - begun) / 2;
  if (*from != 0 && sample_count < MOST_SAMPLES) samples[sample_count++] = (struct sample){*from, to, waited - *before};
  *before = waited;
  *from = to;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = stop};
  struct timespec pause = {.tv_nsec = SAMPLE_NS};
  char task[LONGEST_PATH] = "";
  uint64_t before = 0;
  int64_t from = 0;
  if (argc != 3) return 2;
  int64_t end = raw_ns() + atoi(argv[2]) * NS_PER_S;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigaction(SIGTERM, &action, NULL);
  for (; !stopped && raw_ns() < end; nanosleep(&pause, NULL))
    if (*task != '\0' || find("/proc", atoi(argv[1]), false, task)) sample(task, &before, &from);
  for (int at = 0; at < sample_count; at++)
    printf("run-delay %lld %lld %llu\n", (long long)samples[at].from, (long long)samples[at].to, (unsigned long long)samples[at].ns);
  return 0;
}
