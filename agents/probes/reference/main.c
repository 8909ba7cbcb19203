/*
 * hft-reference: stands in for a trading process, so that every rule of a deployment can be shown kept and broken.
 *
 *   hft-reference [--socket PATH] [--lock] [--thread NAME:spin|block|echo ...]
 *   hft-reference ask PATH WORD ...     one request to a running one; exit code 0 when it answers "ok"
 *
 * Main waits on its socket; the threads wait in their own ways. Requests, one to a line, see `answer`. With NOTIFY_SOCKET in the environment
 * it says READY=1 and then WATCHDOG=1 four times a second, sd_notify(3), until it is told to be silent.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "end.h"
#include "worker.h"

#define MOST_WORKERS 256
#define MOST_WORDS 8
#define LONGEST_REQUEST 512
#define BEAT_MS 250
#define PAGED_OUT_BYTES (16u << 20)

static struct {
  struct worker workers[MOST_WORKERS];
  size_t count;
  const char *socket;
  bool silent;
} self;

static struct sockaddr_un address_of(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) end_usage("the path of a socket is too long: %s", path);
  memcpy(address.sun_path, path, strlen(path) + 1);
  return address;
}

static void add_worker(const char *name, enum way way) {
  char echo_at[sizeof(struct sockaddr_un)] = "";
  if (self.count == MOST_WORKERS) end_usage("at most %d threads", MOST_WORKERS);
  struct worker *worker = &self.workers[self.count++];
  snprintf(worker->name, NAME_BYTES, "%s", name);
  worker->way = way;
  if (way == ECHO) {
    if (self.socket == NULL) end_usage("a thread that echoes needs --socket: its own is PATH.NAME");
    int length = snprintf(echo_at, sizeof echo_at, "%s.%s", self.socket, name);
    if (length < 0 || (size_t)length >= sizeof echo_at) end_usage("the path of a socket is too long: %s.%s", self.socket, name);
  }
  worker_start(worker, echo_at);
}

static void add_described(const char *text) {
  char name[LONGEST_REQUEST];
  enum way way;
  const char *colon = strrchr(text, ':');
  if (colon == NULL || colon == text || colon - text >= NAME_BYTES || !way_of(colon + 1, &way))
    end_usage("--thread: expected NAME:spin, NAME:block or NAME:echo with at most 15 characters of name, got %s", text);
  snprintf(name, sizeof name, "%.*s", (int)(colon - text), text);
  add_worker(name, way);
}

static struct worker *find(const char *name) {
  for (size_t i = 0; i < self.count; i++)
    if (strcmp(self.workers[i].name, name) == 0) return &self.workers[i];
  return NULL;
}

static bool parse_number(const char *text, long *number) {
  char *end;
  errno = 0;
  *number = strtol(text, &end, 10);
  return errno == 0 && end != text && *end == '\0';
}

static bool parse_policy(const char *text, long *policy) {
  static const struct {
    const char *name;
    int policy;
  } policies[] = {{"other", SCHED_OTHER}, {"batch", SCHED_BATCH}, {"fifo", SCHED_FIFO}, {"rr", SCHED_RR}};
  for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
    if (strcmp(text, policies[i].name) != 0) continue;
    *policy = policies[i].policy;
    return true;
  }
  return false;
}

/* Not locked any more, and given to swap where there is any. */
static int page_out(void) {
  if (munlockall() != 0) return errno;
  char *memory = mmap(NULL, PAGED_OUT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  memset(memory, 1, PAGED_OUT_BYTES);
  return madvise(memory, PAGED_OUT_BYTES, MADV_PAGEOUT) == 0 ? 0 : errno;
}

/* What a thread is to do: fault NAME PAGES, move NAME CPU, policy NAME POLICY NUMBER, rename NAME NEW. */
static const char *order_thread(char **words, size_t count) {
  struct order order = {.act = FAULT};
  struct worker *worker = count > 2 ? find(words[1]) : NULL;
  if (worker == NULL) return "there is no such request, or no such thread";
  if (strcmp(words[0], "fault") == 0 && count == 3 && parse_number(words[2], &order.first)) order.act = FAULT;
  else if (strcmp(words[0], "move") == 0 && count == 3 && parse_number(words[2], &order.first)) order.act = MOVE;
  else if (strcmp(words[0], "policy") == 0 && count == 4 && parse_policy(words[2], &order.first) && parse_number(words[3], &order.second))
    order.act = POLICY;
  else if (strcmp(words[0], "rename") == 0 && count == 3 && strlen(words[2]) < NAME_BYTES) {
    order.act = RENAME;
    memcpy(order.name, words[2], strlen(words[2]) + 1);
  } else return "there is no such request, or it needs other values";
  int code = worker_order(worker, &order);
  return code == 0 ? "ok" : strerror(code);
}

/* NULL: no answer at all. */
static const char *answer(char **words, size_t count) {
  long number = 0;
  enum way way;
  if (count == 0) return "an empty request";
  if (self.silent) return NULL;
  if (strcmp(words[0], "health") == 0) return "ok";
  if (strcmp(words[0], "silence") == 0) {
    self.silent = true;
    return "ok";
  }
  if (strcmp(words[0], "crash") == 0) abort();
  if (strcmp(words[0], "exit") == 0 && count == 2 && parse_number(words[1], &number)) _exit((int)number);
  if (strcmp(words[0], "unlock") == 0) {
    int code = page_out();
    return code == 0 ? "ok" : strerror(code);
  }
  if (strcmp(words[0], "thread") == 0 && count == 3 && strlen(words[1]) < NAME_BYTES && way_of(words[2], &way)) {
    add_worker(words[1], way);
    return "ok";
  }
  return order_thread(words, count);
}

static void serve(int listener) {
  char request[LONGEST_REQUEST];
  char *words[MOST_WORDS];
  size_t count = 0;
  int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (peer < 0) return;
  ssize_t bytes = read(peer, request, sizeof request - 1);
  if (bytes > 0) {
    request[bytes] = '\0';
    char *rest = request;
    for (char *word; count < MOST_WORDS && (word = strtok_r(rest, " \n", &rest)) != NULL;) words[count++] = word;
    const char *said = answer(words, count);
    if (said == NULL) return; /* left open: whoever asks waits in vain */
    dprintf(peer, "%s\n", said);
  }
  close(peer);
}

static void notify(const char *text) {
  const char *path = getenv("NOTIFY_SOCKET");
  if (path == NULL || self.silent) return;
  struct sockaddr_un address = address_of(path);
  if (path[0] == '@') address.sun_path[0] = '\0';
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (to < 0) return;
  sendto(to, text, strlen(text), 0, (struct sockaddr *)&address, length);
  close(to);
}

static int ask(const char *path, char **words) {
  char request[LONGEST_REQUEST] = "";
  char said[LONGEST_REQUEST] = "";
  for (; *words != NULL; words++) {
    size_t used = strlen(request);
    if (used + strlen(*words) + 2 > sizeof request) end_usage("the request is too long");
    snprintf(request + used, sizeof request - used, "%s%s", used == 0 ? "" : " ", *words);
  }
  struct sockaddr_un address = address_of(path);
  int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (to < 0 || connect(to, (struct sockaddr *)&address, sizeof address) != 0) end_failed("connect %s: %s", path, strerror(errno));
  if (write(to, request, strlen(request)) < 0 || read(to, said, sizeof said - 1) < 0) end_failed("%s: %s", path, strerror(errno));
  if (strcmp(said, "ok\n") == 0) return 0;
  end_failed("%s", said[0] == '\0' ? "it ended without an answer" : strtok(said, "\n"));
}

static int listen_on(const char *path) {
  struct sockaddr_un address = address_of(path);
  unlink(path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0)
    end_failed("bind %s: %s", path, strerror(errno));
  return listener;
}

int main(int argc, char **argv) {
  int listener = -1;
  bool lock = false;
  if (argc > 3 && strcmp(argv[1], "ask") == 0) return ask(argv[2], argv + 3);
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--lock") == 0) lock = true;
    else if (i + 1 == argc) end_usage("%s needs a value, or is no option here", argv[i]);
    else if (strcmp(argv[i], "--socket") == 0) self.socket = argv[++i];
    else if (strcmp(argv[i], "--thread") == 0) i++;
    else end_usage("there is no option %s: expected --socket PATH, --lock, --thread NAME:WAY", argv[i]);
  }
  if (lock && mlockall(MCL_CURRENT | MCL_FUTURE) != 0) end_failed("mlockall: %s", strerror(errno));
  signal(SIGPIPE, SIG_IGN);
  for (int i = 1; i + 1 < argc; i++)
    if (strcmp(argv[i], "--thread") == 0) add_described(argv[++i]);
  if (self.socket != NULL) listener = listen_on(self.socket);
  notify("READY=1");
  for (;;) {
    struct pollfd source = {.fd = listener, .events = POLLIN};
    if (poll(&source, 1, getenv("NOTIFY_SOCKET") == NULL ? -1 : BEAT_MS) > 0) serve(listener);
    notify("WATCHDOG=1");
  }
}
