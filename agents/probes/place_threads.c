/*
 * hft-probe place-threads: puts the threads of a running process on their CPUs and gives them their policies, after every start of it,
 * also when no hft runs. It waits for threads that the process has not started or named yet, reads everything back, and prints one
 * line of JSON for each thread. Exit code 0 when all are as wanted, 1 when one is missing or could not be placed.
 *
 * A thread that is named late is placed twice: as one of the others, then under its name.
 */
#include "place_threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "partition.h"
#include "thread_spec.h"

#define MOST_THREADS 4096
#define MOST_SPECS 256
#define NAME_BYTES 64
#define PAUSE_NS 5000000
/* So many looks in a row must find the same threads: those that one thread starts beside itself come a moment later. */
#define SAME_LOOKS 5

struct thread {
  pid_t tid;
  unsigned long long start; /* ticks since boot */
  char name[NAME_BYTES];
  const struct thread_spec *spec; /* NULL: nothing is said of it */
  const cpu_set_t *set;
  bool changed; /* it was not where it should be, or not so scheduled */
  const char *failed; /* the call that did not do what it should, with the errno beside */
  int code;
};

static struct {
  pid_t pid;
  uint64_t within_ms;
  struct partition partition;
  bool has_partition;
  struct thread_spec specs[MOST_SPECS];
  size_t spec_count;
  struct thread threads[MOST_THREADS];
  size_t thread_count;
} self;

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Name and start time from proc_pid_stat(5). False when the thread has ended. */
static bool read_thread(struct thread *thread) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)self.pid, (int)thread->tid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t bytes = read(file, text, sizeof text - 1);
  close(file);
  if (bytes <= 0) return false;
  text[bytes] = '\0';
  char *open_at = strchr(text, '('), *close_at = strrchr(text, ')');
  if (open_at == NULL || close_at == NULL) return false;
  *close_at = '\0';
  snprintf(thread->name, sizeof thread->name, "%s", open_at + 1);
  char *field = close_at + 1;
  if (field[1] == 'Z' || field[1] == 'X') return false;
  /* The state is field 3, the start time 22: 19 blanks after it. */
  for (int blanks = 0; blanks < 20; blanks++) {
    field = strchr(field, ' ');
    if (field == NULL) return false;
    field++;
  }
  thread->start = strtoull(field, NULL, 10);
  return true;
}

static int by_start(const void *left, const void *right) {
  const struct thread *a = left, *b = right;
  if (a->start != b->start) return a->start < b->start ? -1 : 1;
  return (a->tid > b->tid) - (a->tid < b->tid);
}

/* All threads in the order in which they were started. A sum that changes when one comes, goes, or is renamed. */
static uint64_t read_threads(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", (int)self.pid);
  DIR *folder = opendir(path);
  self.thread_count = 0;
  if (folder == NULL) return 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    if (self.thread_count == MOST_THREADS) fail("the process %d has more than %d threads", (int)self.pid, MOST_THREADS);
    struct thread thread = {.tid = (pid_t)strtol(entry->d_name, NULL, 10)};
    if (read_thread(&thread)) self.threads[self.thread_count++] = thread;
  }
  closedir(folder);
  qsort(self.threads, self.thread_count, sizeof self.threads[0], by_start);
  uint64_t sum = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < self.thread_count; i++) {
    sum = (sum ^ (uint64_t)self.threads[i].tid) * UINT64_C(1099511628211);
    for (const char *at = self.threads[i].name; *at != '\0'; at++) sum = (sum ^ (uint64_t)(unsigned char)*at) * UINT64_C(1099511628211);
  }
  return sum;
}

/* Which thread is meant by what. Specifications come in the order in which they count. Threads of a name beyond its sets are others. */
static bool match_threads(void) {
  bool all = true;
  for (size_t i = 0; i < self.spec_count; i++) {
    const struct thread_spec *spec = &self.specs[i];
    size_t found = 0;
    for (size_t j = 0; j < self.thread_count && (thread_spec_is_rest(spec) || found < spec->set_count); j++) {
      struct thread *thread = &self.threads[j];
      if (thread->spec != NULL || !thread_spec_matches(spec, thread->name, j)) continue;
      thread->spec = spec;
      thread->set = &spec->sets[thread_spec_is_rest(spec) ? 0 : found];
      found++;
    }
    if (!thread_spec_is_rest(spec) && found < spec->set_count) all = false;
  }
  return all;
}

/* Only what the policy means: the kernel fills the rest, since 6.12 with the slice of an ordinary thread as its run time. */
static bool is_scheduled_so(const struct scheduling *now, const struct scheduling *wanted) {
  if (now->policy != wanted->policy) return false;
  if (wanted->policy == SCHED_OTHER || wanted->policy == SCHED_BATCH) return now->nice == wanted->nice;
  if (wanted->policy == SCHED_FIFO || wanted->policy == SCHED_RR) return now->priority == wanted->priority;
  return now->runtime_ns == wanted->runtime_ns && now->deadline_ns == wanted->deadline_ns && now->period_ns == wanted->period_ns;
}

static bool refuse(struct thread *thread, const char *call, int code) {
  thread->failed = call;
  thread->code = code;
  return false;
}

static bool set_scheduling(struct thread *thread) {
  const struct scheduling *wanted = &thread->spec->scheduling;
  struct scheduling now = {.size = sizeof now};
  if (syscall(SYS_sched_getattr, thread->tid, &now, sizeof now, 0) != 0) return refuse(thread, "sched_getattr", errno);
  if (is_scheduled_so(&now, wanted)) return true;
  thread->changed = true;
  if (syscall(SYS_sched_setattr, thread->tid, wanted, 0) != 0) return refuse(thread, "sched_setattr", errno);
  if (syscall(SYS_sched_getattr, thread->tid, &now, sizeof now, 0) != 0) return refuse(thread, "sched_getattr", errno);
  return is_scheduled_so(&now, wanted) || refuse(thread, "sched_setattr, read back", EIO);
}

static bool set_affinity(struct thread *thread) {
  cpu_set_t now;
  if (sched_getaffinity(thread->tid, sizeof now, &now) != 0) return refuse(thread, "sched_getaffinity", errno);
  if (CPU_EQUAL(&now, thread->set)) return true;
  thread->changed = true;
  if (sched_setaffinity(thread->tid, sizeof *thread->set, thread->set) != 0) return refuse(thread, "sched_setaffinity", errno);
  if (sched_getaffinity(thread->tid, sizeof now, &now) != 0) return refuse(thread, "sched_getaffinity", errno);
  return CPU_EQUAL(&now, thread->set) || refuse(thread, "sched_setaffinity, read back", EIO);
}

static bool join_cgroup(struct thread *thread) {
  struct partition_failure failure;
  if (!self.has_partition || partition_join(&self.partition, self.pid, thread->tid, thread->set, &thread->changed, &failure)) return true;
  return refuse(thread, failure.call, failure.code);
}

/*
 * To where its CPU can be had, and to its CPU, first: a realtime thread must not spin for a moment where others live. A thread that has ended is
 * none of ours any more.
 */
static bool place(struct thread *thread) {
  if (thread->spec == NULL) return true;
  return (join_cgroup(thread) && set_affinity(thread) && set_scheduling(thread)) || thread->code == ESRCH;
}

static bool place_all(void) {
  bool all = true;
  for (size_t i = 0; i < self.thread_count; i++) all &= place(&self.threads[i]);
  return all;
}

static void print_text(const char *text) {
  putchar('"');
  for (; *text != '\0'; text++) {
    unsigned char letter = (unsigned char)*text;
    if (letter == '"' || letter == '\\') printf("\\%c", letter);
    else if (letter < 0x20) printf("\\u%04x", letter);
    else putchar(letter);
  }
  putchar('"');
}

static void report(const struct thread *thread) {
  char cpus[LONGEST_CPU_LIST] = "";
  if (thread->set != NULL) cpu_list_print(thread->set, cpus, sizeof cpus);
  printf("{\"tid\":%d,\"name\":", (int)thread->tid);
  print_text(thread->name);
  if (thread->spec != NULL) {
    printf(",\"rule\":");
    print_text(thread->spec->name);
    printf(",\"cpus\":\"%s\",\"policy\":\"%s\"", cpus, policy_name(thread->spec->scheduling.policy));
  }
  /* Of the last look: false of one that an earlier look put there. */
  if (thread->changed) printf(",\"changed\":true");
  if (thread->failed != NULL && thread->code != ESRCH) {
    printf(",\"failed\":\"%s\",\"reason\":", thread->failed);
    print_text(strerror(thread->code));
  }
  printf("}\n");
}

static void report_missing(void) {
  for (size_t i = 0; i < self.spec_count; i++) {
    const struct thread_spec *spec = &self.specs[i];
    size_t found = 0;
    for (size_t j = 0; j < self.thread_count; j++) found += self.threads[j].spec == spec;
    if (thread_spec_is_rest(spec) || found >= spec->set_count) continue;
    printf("{\"missing\":");
    print_text(spec->name);
    printf(",\"wanted\":%zu,\"found\":%zu}\n", spec->set_count, found);
  }
}

static void parse_options(char **arguments) {
  for (; *arguments != NULL && strncmp(*arguments, "--", 2) == 0; arguments += 2) {
    char *end;
    char *value = arguments[1];
    if (value == NULL) usage("%.40s needs a value", *arguments);
    if (strcmp(*arguments, "--partition") == 0) {
      self.partition = partition_parse(value);
      self.has_partition = true;
      continue;
    }
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0') usage("%.40s: expected a number, got \"%.40s\"", *arguments, value);
    if (strcmp(*arguments, "--pid") == 0) self.pid = (pid_t)number;
    else if (strcmp(*arguments, "--within-ms") == 0) self.within_ms = number;
    else usage("there is no option %.40s here", *arguments);
  }
  if (self.pid <= 0) usage("--pid is missing: whose threads are placed");
  for (; *arguments != NULL; arguments++) {
    if (self.spec_count == MOST_SPECS) usage("at most %d threads can be named", MOST_SPECS);
    self.specs[self.spec_count++] = thread_spec_parse(*arguments);
  }
}

int place_threads(char **arguments) {
  parse_options(arguments);
  uint64_t until_ms = now_ms() + self.within_ms;
  struct timespec pause = {.tv_nsec = PAUSE_NS};
  uint64_t last = 0;
  bool found_all, placed_all;
  for (int same = 0;;) {
    uint64_t sum = read_threads();
    if (self.thread_count == 0) {
      printf("{\"ended\":%d}\n", (int)self.pid);
      return EXIT_FAILED;
    }
    found_all = match_threads();
    placed_all = place_all();
    same = sum == last ? same + 1 : 1;
    last = sum;
    if ((found_all && placed_all && same >= SAME_LOOKS) || now_ms() >= until_ms) break;
    nanosleep(&pause, NULL);
  }
  for (size_t i = 0; i < self.thread_count; i++) report(&self.threads[i]);
  report_missing();
  return found_all && placed_all ? EXIT_DONE : EXIT_FAILED;
}
