#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "end.h"

#define LONGEST_DATAGRAM 2048
/* All of it is locked where memory is: the usual 8 MB for each thread are more than a user may lock. */
#define STACK_BYTES (128u << 10)

bool way_of(const char *text, enum way *way) {
  static const char *const names[] = {"spin", "block", "echo"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(text, names[i]) != 0) continue;
    *way = (enum way)i;
    return true;
  }
  return false;
}

/* Each page that is touched for the first time is a minor fault, locked memory or not. */
static int fault(long pages) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (long i = 0; i < pages; i++) {
    volatile char *fresh = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == MAP_FAILED) return errno;
    *fresh = 1;
    munmap((void *)fresh, page);
  }
  return 0;
}

static int move(long cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
  CPU_SET((size_t)cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

static int change_policy(long policy, long number) {
  bool is_realtime = policy == SCHED_FIFO || policy == SCHED_RR;
  struct sched_param wanted = {.sched_priority = is_realtime ? (int)number : 0};
  if (sched_setscheduler(0, (int)policy, &wanted) != 0) return errno;
  if (is_realtime) return 0;
  return setpriority(PRIO_PROCESS, (id_t)gettid(), (int)number) == 0 ? 0 : errno;
}

static int carry_out(struct worker *worker) {
  const struct order *order = &worker->order;
  if (order->act == FAULT) return fault(order->first);
  if (order->act == MOVE) return move(order->first);
  if (order->act == POLICY) return change_policy(order->first, order->second);
  memcpy(worker->name, order->name, NAME_BYTES);
  return prctl(PR_SET_NAME, worker->name) == 0 ? 0 : errno;
}

static void take_order(struct worker *worker) {
  worker->result = carry_out(worker);
  atomic_store_explicit(&worker->waits, false, memory_order_release);
}

static void take_wake(struct worker *worker) {
  uint64_t count;
  ssize_t ignored = read(worker->wake, &count, sizeof count);
  (void)ignored;
}

static void send_back(int echo) {
  char datagram[LONGEST_DATAGRAM];
  struct sockaddr_un from;
  socklen_t length = sizeof from;
  ssize_t bytes = recvfrom(echo, datagram, sizeof datagram, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
  /* A sender without a name, or one that has gone, gets nothing. */
  if (bytes >= 0 && length > sizeof(sa_family_t)) sendto(echo, datagram, (size_t)bytes, MSG_DONTWAIT, (struct sockaddr *)&from, length);
}

static _Noreturn void spin(struct worker *worker) {
  for (;;)
    if (atomic_load_explicit(&worker->waits, memory_order_acquire)) take_order(worker);
}

static _Noreturn void wait_for_work(struct worker *worker) {
  struct pollfd sources[] = {{.fd = worker->wake, .events = POLLIN}, {.fd = worker->echo, .events = POLLIN}};
  for (;;) {
    if (poll(sources, worker->way == ECHO ? 2 : 1, -1) < 0) continue;
    if (sources[0].revents & POLLIN) {
      take_wake(worker);
      if (atomic_load_explicit(&worker->waits, memory_order_acquire)) take_order(worker);
    }
    if (worker->way == ECHO && sources[1].revents & POLLIN) send_back(worker->echo);
  }
}

static void *run(void *argument) {
  struct worker *worker = argument;
  worker->tid = gettid();
  prctl(PR_SET_NAME, worker->name);
  atomic_store_explicit(&worker->waits, false, memory_order_release);
  if (worker->way == SPIN) spin(worker);
  wait_for_work(worker);
}

/* Polled: a thread that starves, or whose CPU is taken, answers late and not wrongly. */
static void await(struct worker *worker) {
  while (atomic_load_explicit(&worker->waits, memory_order_acquire)) usleep(500);
}

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) end_usage("the path of a socket is too long: %s", path);
  memcpy(address.sun_path, path, strlen(path) + 1);
  unlink(path);
  int echo = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (echo < 0 || bind(echo, (struct sockaddr *)&address, sizeof address) != 0) end_failed("bind %s: %s", path, strerror(errno));
  return echo;
}

void worker_start(struct worker *worker, const char *echo_at) {
  pthread_t thread;
  pthread_attr_t attributes;
  worker->echo = worker->way == ECHO ? listen_at(echo_at) : -1;
  worker->wake = eventfd(0, EFD_CLOEXEC);
  if (worker->wake < 0) end_failed("eventfd: %s", strerror(errno));
  atomic_store(&worker->waits, true);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  int code = pthread_create(&thread, &attributes, run, worker);
  if (code != 0) end_failed("pthread_create: %s", strerror(code));
  await(worker);
}

int worker_order(struct worker *worker, const struct order *order) {
  worker->order = *order;
  atomic_store_explicit(&worker->waits, true, memory_order_release);
  uint64_t one = 1;
  if (write(worker->wake, &one, sizeof one) != (ssize_t)sizeof one) return errno;
  await(worker);
  return worker->result;
}
