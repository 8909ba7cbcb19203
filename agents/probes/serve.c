#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "clock.h"
#include "conversations.h"
#include "failure.h"
#include "options.h"
#include "placement.h"
#include "traffic.h"

/* Connections that have not said what they want. */
#define MOST_NEWCOMERS 8
#define GREETING_PATIENCE_NS (5 * NS_PER_SECOND)
#define LOOK_UP_MS 250

struct newcomer {
  int file; /* 0: none */
  size_t got;
  uint64_t begun_ns;
  struct hello hello;
};

static const char *listen_text;
static uint64_t wait = WAIT_SPIN;
static const char *xdp_interface;
static uint64_t idle_ns = 30 * NS_PER_SECOND;
static const char *only_text;
static uint64_t most_ns; /* 0: until somebody ends it */
static const struct option_spec own_options[] = {{.name = "listen", .text = &listen_text},
                                                 {.name = "wait", .value = &wait, .choices = TRAFFIC_WAITS},
                                                 {.name = "xdp", .text = &xdp_interface},
                                                 {.name = "idle-ns", .value = &idle_ns, .least = 100 * 1000 * 1000, .most = 3600 * NS_PER_SECOND},
                                                 {.name = "only", .text = &only_text},
                                                 {.name = "most-ns", .value = &most_ns, .least = NS_PER_SECOND, .most = 86400 * NS_PER_SECOND},
                                                 {0}};

static struct responder {
  struct options options;
  struct address address;
  struct address only; /* with only_text; its port counts for nothing */
  int listener;
  int datagrams; /* holds the port for conversations, and takes what belongs to none */
  struct newcomer newcomers[MOST_NEWCOMERS];
  struct conversations conversations;
  uint64_t strangers;
  uint64_t refused;
} responder;

static volatile sig_atomic_t signal_seen;
static void note_signal(int signal) { signal_seen = signal; }

static _Noreturn void refuse_listening(const char *what) {
  const char *name = responder.address.name;
  int why = errno;
  if (why == EADDRINUSE) unsupported("a port that is free, or the end of who has it", "%s: %s is in use", what, name);
  if (why == EADDRNOTAVAIL) unsupported("an address of this host", "%s: %s is no address of this host", what, name);
  if (why == EACCES) unsupported("CAP_NET_BIND_SERVICE (root), or a port above 1023", "%s: %s is not allowed", what, name);
  fail("%s: %s: %s", what, name, strerror(why));
}

static int open_port(int type) {
  int yes = 1;
  int file = socket(responder.address.of.any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const char *what = type == SOCK_STREAM ? "TCP" : "UDP";
  if (file < 0) refuse_listening(what);
  /* TCP: at once after another one has ended. UDP: conversations share the port; the kernel lets those of this user alone. */
  if (setsockopt(file, SOL_SOCKET, type == SOCK_STREAM ? SO_REUSEADDR : SO_REUSEPORT, &yes, sizeof yes) != 0) refuse_listening(what);
  if (bind(file, &responder.address.of.any, responder.address.bytes) != 0) refuse_listening(what);
  if (type == SOCK_STREAM && listen(file, MOST_NEWCOMERS) != 0) refuse_listening(what);
  return file;
}

static void leave(struct newcomer *newcomer) {
  close(newcomer->file);
  newcomer->file = 0;
}

/* Whether it comes from the one address that may ask, where only one may. */
static bool is_welcome(const struct address *from) {
  if (only_text == NULL) return true;
  if (from->of.any.sa_family != responder.only.of.any.sa_family) return false;
  if (from->of.any.sa_family == AF_INET) return from->of.v4.sin_addr.s_addr == responder.only.of.v4.sin_addr.s_addr;
  return memcmp(&from->of.v6.sin6_addr, &responder.only.of.v6.sin6_addr, sizeof from->of.v6.sin6_addr) == 0;
}

static void parse_only(void) {
  struct address *only = &responder.only;
  if (only_text == NULL) return;
  if (inet_pton(AF_INET, only_text, &only->of.v4.sin_addr) == 1) only->of.any.sa_family = AF_INET;
  else if (inet_pton(AF_INET6, only_text, &only->of.v6.sin6_addr) == 1) only->of.any.sa_family = AF_INET6;
  else usage("--only: expected an IP address without a port, got \"%.60s\"", only_text);
}

static void take_newcomer(void) {
  struct address from = {.bytes = sizeof from.of};
  int file = accept4(responder.listener, &from.of.any, &from.bytes, SOCK_CLOEXEC);
  if (file < 0) return;
  if (!is_welcome(&from)) {
    responder.refused++;
    close(file);
    return;
  }
  for (int i = 0; i < MOST_NEWCOMERS; i++) {
    if (responder.newcomers[i].file != 0) continue;
    responder.newcomers[i] = (struct newcomer){.file = file, .begun_ns = raw_clock_ns()};
    return;
  }
  close(file);
}

/* Nothing is said to who does not begin as a probe of hft does. */
static void hear_newcomer(struct newcomer *newcomer) {
  char *room = (char *)&newcomer->hello + newcomer->got;
  ssize_t got = recv(newcomer->file, room, sizeof newcomer->hello - newcomer->got, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return leave(newcomer);
  newcomer->got += (size_t)got;
  if (newcomer->got >= sizeof newcomer->hello.magic && newcomer->hello.magic != SESSION_MAGIC) {
    responder.refused++;
    return leave(newcomer);
  }
  if (newcomer->got < sizeof newcomer->hello) return;
  int file = newcomer->file;
  newcomer->file = 0;
  conversation_begin(&responder.conversations, file, &newcomer->hello);
}

static void drop_strangers(void) {
  char room[64];
  while (recv(responder.datagrams, room, sizeof room, MSG_DONTWAIT) >= 0) responder.strangers++;
}

static void forget_silent(void) {
  uint64_t now = raw_clock_ns();
  for (int i = 0; i < MOST_NEWCOMERS; i++)
    if (responder.newcomers[i].file != 0 && now - responder.newcomers[i].begun_ns > GREETING_PATIENCE_NS) leave(&responder.newcomers[i]);
}

/* One thing that has happened at a time: what it is about may be gone afterwards. */
static void wait_and_hear(const sigset_t *while_waiting) {
  struct pollfd files[3 + MOST_NEWCOMERS + MOST_CONVERSATIONS];
  struct timespec look_up = {.tv_nsec = LOOK_UP_MS * 1000000L};
  struct conversations *them = &responder.conversations;
  nfds_t count = 0;
  files[count++] = (struct pollfd){.fd = responder.listener, .events = POLLIN};
  files[count++] = (struct pollfd){.fd = responder.datagrams, .events = POLLIN};
  files[count++] = (struct pollfd){.fd = them->done, .events = POLLIN};
  for (int i = 0; i < MOST_NEWCOMERS; i++) {
    int file = responder.newcomers[i].file;
    files[count++] = (struct pollfd){.fd = file == 0 ? -1 : file, .events = POLLIN};
  }
  for (int i = 0; i < them->count; i++) {
    const struct conversation *it = &them->all[i];
    bool is_heard_here = it->is_open && !it->answerer->is_over_tcp;
    files[count++] = (struct pollfd){.fd = is_heard_here ? it->connection : -1, .events = POLLIN};
  }
  if (ppoll(files, count, &look_up, while_waiting) <= 0) return;
  uint64_t ended;
  if (files[2].revents != 0 && read(them->done, &ended, sizeof ended) < 0 && errno != EAGAIN) fail("eventfd: %s", strerror(errno));
  if (files[1].revents != 0) drop_strangers();
  for (int i = 0; i < them->count; i++)
    if (files[3 + MOST_NEWCOMERS + i].revents != 0) conversation_hear(&them->all[i]);
  for (int i = 0; i < MOST_NEWCOMERS; i++)
    if (files[3 + i].revents != 0) hear_newcomer(&responder.newcomers[i]);
  if (files[0].revents != 0) take_newcomer();
}

static void take_signals(sigset_t *while_waiting) {
  struct sigaction action = {.sa_handler = note_signal};
  sigset_t ours;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGINT);
  sigprocmask(SIG_BLOCK, &ours, while_waiting);
}

static void say(const char *event) {
  struct text line = {0};
  text_add(&line, "{\"event\":\"%s\",\"address\":\"%s\",\"clients\":%d,\"strangers\":%llu,\"refused\":%llu}\n", event, responder.address.name,
           responder.conversations.count, (unsigned long long)responder.strangers, (unsigned long long)responder.refused);
  if (write(STDOUT_FILENO, line.data, line.length) != (ssize_t)line.length) fail("standard output cannot be written: %s", strerror(errno));
  text_free(&line);
}

int serve(char **arguments) {
  struct options *options = &responder.options;
  struct conversations *them = &responder.conversations;
  sigset_t while_waiting;
  options_parse(options, own_options, arguments);
  if (listen_text == NULL || strncmp(listen_text, "unix:", 5) == 0) usage("--listen: expected an IP address and a port");
  if (options->cpu_count > MOST_CONVERSATIONS) usage("--cpus: at most %d", MOST_CONVERSATIONS);
  address_parse(&responder.address, listen_text);
  parse_only();
  end_with_parent(options->parent);
  if (most_ns != 0) end_at_deadline(most_ns);
  take_signals(&while_waiting);
  for (int i = 0; i < options->cpu_count; i++) pin_to(options->cpus[i]);
  conversations_allocate(them, options->cpus, options->cpu_count);
  place_control(options);
  them->may_spin = wait == WAIT_SPIN;
  them->idle_ns = idle_ns;
  them->xdp = xdp_interface;
  them->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  responder.listener = open_port(SOCK_STREAM);
  responder.datagrams = open_port(SOCK_DGRAM);
  lock_memory();
  say("listening");
  uint64_t begun_ns = raw_clock_ns();
  while (signal_seen == 0 && (most_ns == 0 || raw_clock_ns() - begun_ns < most_ns)) {
    wait_and_hear(&while_waiting);
    conversations_look(them);
    forget_silent();
  }
  for (int i = 0; i < them->count; i++)
    if (them->all[i].is_open) conversation_end(&them->all[i], false, "stopped");
  say("ended");
  return EXIT_DONE;
}
