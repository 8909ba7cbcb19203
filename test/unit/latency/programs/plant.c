/*
 * `plant MODE --cpu N [--seconds S] [...]`: disturbs one CPU in a known way, for tests that ask who was named for it. Ends after S
 * seconds, with SIGTERM or with its parent, and prints then what it did by its own count, a line each:
 *
 *   WHAT FROM TO COUNT        FROM and TO in ns of CLOCK_MONOTONIC_RAW
 *
 * timer-thief   SCHED_OTHER, takes 200 us every 10 ms by an absolute timer: `turn`, and as the kernel counts its own since the turn before
 *               `preempted` (others had the CPU in the middle of a turn, which is seen once more then) and `fault`
 * fifo-thief    the same under SCHED_FIFO, --priority P (1)
 * page-faulter  the same of a thread that touches 16 new pages every 10 ms
 * fair-hog      SCHED_OTHER, never sleeps: `turn` is what a realtime thread on that CPU leaves it
 * soft-dirty    every 10 ms, --from CPU, has the kernel note which memory of the measuring process (`hft-probe jitter`, of --parent PID) is written:
 *               TLB shootdowns and, with CONFIG_MEM_SOFT_DIRTY, a page fault for each page: `fault` as the kernel counts
 *               those of its thread on the CPU
 * disk-reads    4 KiB of --path past the page cache, --from CPU, every ms
 * datagrams     64 bytes to --address IPV4, --from CPU, every ms, or --period-us
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
#define PERIOD_NS 10000000LL
#define STEAL_NS 200000LL
#define STORM_PERIOD_NS 1000000LL
/* A hog that did not run for so long had lost the CPU to the measurement. */
#define LOST_NS 1000000LL
#define FAULTS 16
#define MOST_EVENTS 400000

struct event {
  const char *what;
  int64_t from, to;
  uint64_t count;
};

static struct event *events;
static int event_count;
static volatile sig_atomic_t stopped;
static int64_t end_ns, storm_period_ns = STORM_PERIOD_NS;
static int cpu = -1, from_cpu = -1, priority = 1, parent = 0;
static const char *path, *address;

static void fail(const char *what) {
  fprintf(stderr, "plant: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static int64_t now_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t raw_ns(void) { return now_of(CLOCK_MONOTONIC_RAW); }

static bool is_over(void) { return stopped || now_of(CLOCK_MONOTONIC) >= end_ns; }

static void note(const char *what, int64_t from, int64_t to, uint64_t count) {
  if (event_count < MOST_EVENTS) events[event_count++] = (struct event){what, from, to, count};
}

/* Sleeps until the next period. Those that went by are left out, so that each turn begins with a wake-up of its own. */
static void await_period(int64_t *next, int64_t period_ns) {
  int64_t now = now_of(CLOCK_MONOTONIC);
  *next += period_ns;
  while (*next <= now) *next += period_ns;
  struct timespec until = {*next / NS_PER_S, *next % NS_PER_S};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void pin(int to, const char *name) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((unsigned)to, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("sched_setaffinity");
  prctl(PR_SET_NAME, name);
}

static struct rusage own_usage(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

/* With what the kernel counts of the thread since the turn before; `usage` was then. */
static void note_turn(int64_t from, int64_t to, struct rusage *usage) {
  struct rusage now = own_usage();
  note("turn", from, to, 1);
  note("preempted", from, to, (uint64_t)(now.ru_nivcsw - usage->ru_nivcsw));
  note("fault", from, to, (uint64_t)(now.ru_minflt - usage->ru_minflt));
  *usage = now;
}

static void steal(void) {
  int64_t next = now_of(CLOCK_MONOTONIC);
  struct rusage usage = own_usage();
  for (await_period(&next, PERIOD_NS); !is_over(); await_period(&next, PERIOD_NS)) {
    int64_t from = raw_ns(), to;
    while ((to = raw_ns()) < from + STEAL_NS) continue;
    note_turn(from, to, &usage);
  }
}

static void timer_thief(void) {
  pin(cpu, "timer-thief");
  steal();
}

static void fifo_thief(void) {
  struct sched_param wanted = {.sched_priority = priority};
  pin(cpu, "fifo-thief");
  if (sched_setscheduler(0, SCHED_FIFO, &wanted) != 0) fail("SCHED_FIFO");
  steal();
}

static void page_faulter(void) {
  size_t bytes = FAULTS * 4096;
  pin(cpu, "page-faulter");
  char *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) fail("mmap");
  madvise(pages, bytes, MADV_NOHUGEPAGE);
  int64_t next = now_of(CLOCK_MONOTONIC);
  struct rusage usage = own_usage();
  for (await_period(&next, PERIOD_NS); !is_over(); await_period(&next, PERIOD_NS)) {
    int64_t from = raw_ns();
    madvise(pages, bytes, MADV_DONTNEED);
    for (size_t at = 0; at < bytes; at += 4096) ((volatile char *)pages)[at] = 1;
    int64_t to = raw_ns();
    note_turn(from, to, &usage);
  }
}

static void fair_hog(void) {
  pin(cpu, "fair-hog");
  int64_t from = raw_ns(), last = from;
  while (!is_over()) {
    int64_t now = raw_ns();
    if (now - last > LOST_NS) {
      note("turn", from, last, 1);
      from = now;
    }
    last = now;
  }
  note("turn", from, last, 1);
}

/* The text of a file below /proc; false when it is gone. */
static bool read_text(const char *file, char *text, size_t room) {
  int opened = open(file, O_RDONLY | O_CLOEXEC);
  if (opened < 0) return false;
  size_t length = 0;
  for (ssize_t bytes; length + 1 < room && (bytes = read(opened, text + length, room - 1 - length)) > 0;) length += (size_t)bytes;
  close(opened);
  text[length] = '\0';
  return length > 0;
}

static bool is_of_parent(const char *pid) {
  char file[300], text[512];
  snprintf(file, sizeof file, "/proc/%s/stat", pid);
  char *rest = read_text(file, text, sizeof text) ? strrchr(text, ')') : NULL;
  return rest != NULL && atoi(rest + 4) == parent;
}

static pid_t find_measuring(void) {
  static const char wanted[] = "hft-probe\0jitter";
  pid_t found = 0;
  DIR *processes = opendir("/proc");
  if (processes == NULL) fail("/proc");
  for (struct dirent *entry; found == 0 && (entry = readdir(processes)) != NULL;) {
    char file[300], text[512] = {0};
    snprintf(file, sizeof file, "/proc/%s/cmdline", entry->d_name);
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !read_text(file, text, sizeof text)) continue;
    char *name = strrchr(text, '/');
    if (name != NULL && memcmp(name + 1, wanted, sizeof wanted) == 0 && (parent == 0 || is_of_parent(entry->d_name))) found = atoi(entry->d_name);
  }
  closedir(processes);
  return found;
}

/* Minor faults of the thread of that process which ran last on the CPU and is not its first; fields of proc_pid_stat(5). */
static bool thread_faults(pid_t process, uint64_t *faults) {
  char folder[64], file[400], text[1024];
  snprintf(folder, sizeof folder, "/proc/%d/task", process);
  DIR *threads = opendir(folder);
  bool found = false;
  if (threads == NULL) return false;
  for (struct dirent *entry; !found && (entry = readdir(threads)) != NULL;) {
    snprintf(file, sizeof file, "%s/%s/stat", folder, entry->d_name);
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == process || !read_text(file, text, sizeof text)) continue;
    char *at = strrchr(text, ')');
    long minor = 0, processor = -1;
    int field = 2;
    for (char *rest = NULL, *word = at == NULL ? NULL : strtok_r(at + 1, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
      field++;
      if (field == 10) minor = atol(word);
      if (field == 39) processor = atol(word);
    }
    found = processor == cpu;
    *faults = (uint64_t)minor;
  }
  closedir(threads);
  return found;
}

static void soft_dirty(void) {
  char file[64];
  pid_t process = 0;
  uint64_t before, after;
  if (from_cpu >= 0) pin(from_cpu, "soft-dirty");
  while (!is_over() && ((process = find_measuring()) == 0 || !thread_faults(process, &before))) usleep(20000);
  snprintf(file, sizeof file, "/proc/%d/clear_refs", process);
  int64_t next = now_of(CLOCK_MONOTONIC), from = raw_ns();
  int refs = process == 0 ? -1 : open(file, O_WRONLY | O_CLOEXEC);
  for (; refs >= 0 && !is_over(); await_period(&next, PERIOD_NS)) {
    if (write(refs, "4", 1) != 1) break;
    int64_t to = raw_ns();
    if (!thread_faults(process, &after)) break;
    if (after > before) note("fault", from, to, after - before);
    before = after;
    from = to;
  }
}

static void disk_reads(void) {
  if (from_cpu >= 0) pin(from_cpu, "disk-reader");
  int disk = open(path == NULL ? "" : path, O_RDONLY | O_DIRECT | O_CLOEXEC);
  void *block;
  if (disk < 0 || posix_memalign(&block, 4096, 4096) != 0) fail("--path");
  int64_t next = now_of(CLOCK_MONOTONIC);
  for (; !is_over(); await_period(&next, STORM_PERIOD_NS))
    if (pread(disk, block, 4096, 0) < 0) fail("pread");
}

static void datagrams(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
  char text[64] = "hft plant";
  if (from_cpu >= 0) pin(from_cpu, "datagrams");
  int out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (out < 0 || address == NULL || inet_pton(AF_INET, address, &to.sin_addr) != 1) fail("--address");
  int64_t next = now_of(CLOCK_MONOTONIC);
  for (; !is_over(); await_period(&next, storm_period_ns)) sendto(out, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
}

static const struct {
  const char *name;
  void (*run)(void);
} modes[] = {{"timer-thief", timer_thief}, {"fifo-thief", fifo_thief}, {"page-faulter", page_faulter}, {"fair-hog", fair_hog},
             {"soft-dirty", soft_dirty},   {"disk-reads", disk_reads}, {"datagrams", datagrams}};

static void set_options(char **arguments) {
  int64_t seconds = 3600;
  for (; arguments[0] != NULL && arguments[1] != NULL; arguments += 2) {
    if (strcmp(arguments[0], "--cpu") == 0) cpu = atoi(arguments[1]);
    else if (strcmp(arguments[0], "--from") == 0) from_cpu = atoi(arguments[1]);
    else if (strcmp(arguments[0], "--priority") == 0) priority = atoi(arguments[1]);
    else if (strcmp(arguments[0], "--parent") == 0) parent = atoi(arguments[1]);
    else if (strcmp(arguments[0], "--seconds") == 0) seconds = atoi(arguments[1]);
    else if (strcmp(arguments[0], "--path") == 0) path = arguments[1];
    else if (strcmp(arguments[0], "--period-us") == 0) storm_period_ns = atoi(arguments[1]) * 1000LL;
    else if (strcmp(arguments[0], "--address") == 0) address = arguments[1];
    else cpu = -1;
  }
  if (cpu < 0 || arguments[0] != NULL) {
    fprintf(stderr, "plant: see its first comment for how it is used\n");
    exit(2);
  }
  end_ns = now_of(CLOCK_MONOTONIC) + seconds * NS_PER_S;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = stop};
  if (argc < 4) return 2;
  set_options(argv + 2);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigaction(SIGTERM, &action, NULL);
  events = calloc(MOST_EVENTS, sizeof *events);
  if (events == NULL) fail("calloc");
  bool known = false;
  for (size_t at = 0; at < sizeof modes / sizeof modes[0]; at++)
    if ((known = strcmp(argv[1], modes[at].name) == 0)) {
      modes[at].run();
      break;
    }
  for (int at = 0; at < event_count; at++)
    printf("%s %lld %lld %llu\n", events[at].what, (long long)events[at].from, (long long)events[at].to, (unsigned long long)events[at].count);
  return known ? 0 : 2;
}
