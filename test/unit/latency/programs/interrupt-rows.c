/*
 * `interrupt-rows CPU SECONDS ROW...`: what /proc/interrupts counts on one CPU in these rows (`36`, `TLB`), twenty times a second, from
 * other CPUs if there are any. Ends after so many seconds, with SIGTERM or with its parent, and prints then, a line each:
 *
 *   ROW FROM TO COUNT        FROM and TO in ns of CLOCK_MONOTONIC_RAW
 */
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
#define MOST_SAMPLES (1 << 20)

struct sample {
  char *row;
  int64_t from, to;
  uint64_t count;
};

static struct sample samples[MOST_SAMPLES];
static int sample_count;
static volatile sig_atomic_t stopped;
static char text[1 << 20];

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static int64_t raw_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void leave(int cpu) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return;
  CPU_CLR((unsigned)cpu, &set);
  if (CPU_COUNT(&set) > 0) sched_setaffinity(0, sizeof set, &set);
}

static bool read_all(void) {
  int file = open("/proc/interrupts", O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  if (file < 0) return false;
  for (ssize_t bytes; (bytes = read(file, text + length, sizeof text - 1 - length)) > 0;) length += (size_t)bytes;
  close(file);
  text[length] = '\0';
  return length > 0;
}

/* CPUs that are offline have no column. -1: this one has none. */
static int column_of(int cpu) {
  int column = 0;
  for (const char *at = text; *at != '\0' && *at != '\n'; at++) {
    if (strncmp(at, "CPU", 3) != 0) continue;
    if (atoi(at + 3) == cpu) return column;
    column++;
  }
  return -1;
}

static bool count_of(const char *row, int column, uint64_t *count) {
  size_t length = strlen(row);
  for (const char *line = strchr(text, '\n'); line != NULL && column >= 0; line = strchr(line + 1, '\n')) {
    const char *name = line + 1 + strspn(line + 1, " ");
    if (strncmp(name, row, length) != 0 || name[length] != ':') continue;
    char *value = (char *)name + length + 1;
    for (int skipped = 0; skipped <= column; skipped++) *count = strtoull(value, &value, 10);
    return true;
  }
  return false;
}

static void sample(int cpu, char **rows, uint64_t *before, int64_t *from) {
  uint64_t now;
  int64_t begun = raw_ns();
  if (!read_all()) exit(1);
  int64_t to = begun + (raw_ns() - begun) / 2;
  for (int at = 0; rows[at] != NULL; at++) {
    if (!count_of(rows[at], column_of(cpu), &now)) continue;
    if (*from != 0 && now >= before[at] && sample_count < MOST_SAMPLES) samples[sample_count++] = (struct sample){rows[at], *from, to, now - before[at]};
    before[at] = now;
  }
  *from = to;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = stop};
  struct timespec pause = {.tv_nsec = SAMPLE_NS};
  int64_t from = 0;
  if (argc < 4) return 2;
  int64_t end = raw_ns() + atoi(argv[2]) * NS_PER_S;
  uint64_t *before = calloc((size_t)argc, sizeof *before);
  if (before == NULL) return 1;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  prctl(PR_SET_NAME, "interrupt-rows");
  sigaction(SIGTERM, &action, NULL);
  leave(atoi(argv[1]));
  for (; !stopped && raw_ns() < end; nanosleep(&pause, NULL)) sample(atoi(argv[1]), argv + 3, before, &from);
  for (int at = 0; at < sample_count; at++)
    printf("%s %lld %lld %llu\n", samples[at].row, (long long)samples[at].from, (long long)samples[at].to, (unsigned long long)samples[at].count);
  return 0;
}
