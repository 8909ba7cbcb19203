#include "conversations.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "clock.h"
#include "failure.h"
#include "placement.h"

/* A thread that waits looks this often whether it is to stop. */
#define LOOK_UP_US 250000

void conversations_allocate(struct conversations *them, const int *cpus, int count) {
  them->count = count;
  for (int i = 0; i < count; i++) {
    them->all[i].answerer = allocate_local(sizeof(struct answerer));
    them->all[i].answerer->cpu = cpus[i];
  }
}

static const char *complain_of(const struct hello *hello) {
  if (hello->transport > OVER_TCP) return "it knows UDP and TCP";
  if (hello->message_bytes < LEAST_MESSAGE || hello->message_bytes > MOST_SESSION_MESSAGE || hello->message_bytes % 8 != 0)
    return "messages have 64 to 4096 bytes, in whole words of 8";
  if (hello->transport == OVER_UDP && (hello->udp_port == 0 || hello->udp_port > 65535)) return "the port of its datagrams is none";
  return NULL;
}

/* On the address and port at which it was asked, for datagrams of the other end alone: the kernel drops those of others. */
static int open_datagrams(const struct conversation *it) {
  struct address local = {.bytes = sizeof local.of};
  struct address other = it->address;
  int yes = 1;
  if (getsockname(it->connection, &local.of.any, &local.bytes) != 0) return -1;
  if (other.of.any.sa_family == AF_INET) other.of.v4.sin_port = htons((uint16_t)it->hello.udp_port);
  else other.of.v6.sin6_port = htons((uint16_t)it->hello.udp_port);
  int file = socket(other.of.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (file < 0) return -1;
  session_widen(file);
  if (setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0 && bind(file, &local.of.any, local.bytes) == 0 &&
      connect(file, &other.of.any, other.bytes) == 0)
    return file;
  int why = errno;
  close(file);
  errno = why;
  return -1;
}

static void set_patience(int file) {
  struct timeval patience = {.tv_usec = LOOK_UP_US};
  setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static void greet(int connection, struct welcome *welcome, enum refusal refusal, const char *why) {
  welcome->magic = SESSION_MAGIC;
  welcome->version = SESSION_VERSION;
  welcome->refusal = refusal;
  snprintf(welcome->why, sizeof welcome->why, "%s", why);
  ssize_t ignored = send(connection, welcome, sizeof *welcome, MSG_NOSIGNAL | MSG_DONTWAIT);
  (void)ignored;
}

static void refuse(int connection, enum refusal refusal, const char *why) {
  struct welcome welcome = {0};
  greet(connection, &welcome, refusal, why);
  close(connection);
}

static struct conversation *find_free(struct conversations *them) {
  for (int i = 0; i < them->count; i++)
    if (!them->all[i].is_open) return &them->all[i];
  return NULL;
}

/* Nothing of whoever was here before. */
static void make_new(struct conversation *it, int connection, const struct hello *hello) {
  struct answerer *me = it->answerer;
  int cpu = me->cpu;
  memset(me, 0, sizeof *me);
  me->cpu = cpu;
  me->is_over_tcp = hello->transport == OVER_TCP;
  me->messages = -1;
  *it = (struct conversation){.answerer = me, .connection = connection, .hello = *hello, .address.bytes = sizeof it->address.of};
}

/* All but the connection. */
static void release(struct answerer *me) {
  if (me->xdp != NULL) xdp_close(me->xdp);
  if (!me->is_over_tcp && me->messages >= 0) close(me->messages);
}

/* Everything but the thread. false with errno. */
static bool prepare(struct conversation *it, struct welcome *welcome, const struct conversations *them) {
  struct answerer *me = it->answerer;
  int yes = 1;
  if (getpeername(it->connection, &it->address.of.any, &it->address.bytes) != 0) return false;
  me->messages = me->is_over_tcp ? it->connection : open_datagrams(it);
  if (me->messages < 0) return false;
  if (me->is_over_tcp) setsockopt(me->messages, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  session_describe_end(&welcome->facts, it->connection);
  me->has_hardware = welcome->facts.has_hardware;
  stamps_enable(me->messages, me->has_hardware);
  set_patience(me->messages);
  /* Who is the second there, or behind a router, is answered through the stack, and told so. */
  struct xdp_problem problem;
  if (them->xdp != NULL && it->hello.wants_xdp && !me->is_over_tcp) me->xdp = xdp_open(them->xdp, me->messages, it->hello.message_bytes, &problem);
  welcome->has_xdp = me->xdp != NULL;
  me->spins = them->may_spin && it->hello.wait == WAIT_SPIN;
  me->message_bytes = it->hello.message_bytes;
  me->done = them->done;
  /* The welcome goes before the first message. */
  me->bytes_sent = sizeof *welcome;
  uint64_t tokens[2];
  if (getrandom(tokens, sizeof tokens, 0) != sizeof tokens) return false;
  me->request_token = welcome->request_token = tokens[0];
  me->reply_token = welcome->reply_token = tokens[1];
  welcome->wait = me->spins ? WAIT_SPIN : WAIT_BLOCK;
  welcome->cpu = me->cpu;
  return true;
}

void conversation_begin(struct conversations *them, int connection, const struct hello *hello) {
  struct welcome welcome = {0};
  struct conversation *it = find_free(them);
  const char *complaint = complain_of(hello);
  char busy[64];
  snprintf(busy, sizeof busy, "%d of %d CPUs are measured with", them->count, them->count);
  if (hello->version != SESSION_VERSION) return refuse(connection, REFUSED_VERSION, "another version of the protocol");
  if (complaint != NULL) return refuse(connection, REFUSED_TERMS, complaint);
  if (it == NULL) return refuse(connection, REFUSED_BUSY, busy);
  make_new(it, connection, hello);
  if (!prepare(it, &welcome, them) || !answer_start(it->answerer)) {
    const char *why = strerror(errno);
    release(it->answerer);
    return refuse(connection, REFUSED_FAILURE, why);
  }
  /* The thread has nothing to say before it is asked, and nobody asks without this. */
  greet(connection, &welcome, NOT_REFUSED, "");
  it->is_open = true;
  it->begun_ns = it->heard_ns = raw_clock_ns();
  it->heard = 0;
}

static void say_address(const struct address *address, char *text, size_t room) {
  bool is_v4 = address->of.any.sa_family == AF_INET;
  const void *at = is_v4 ? (const void *)&address->of.v4.sin_addr : (const void *)&address->of.v6.sin6_addr;
  if (inet_ntop(is_v4 ? AF_INET : AF_INET6, at, text, (socklen_t)room) == NULL) snprintf(text, room, "?");
}

static void report(const struct conversation *it, const char *why) {
  const struct answerer *me = it->answerer;
  char address[64];
  struct text line = {0};
  say_address(&it->address, address, sizeof address);
  text_add(&line, "{\"event\":\"client\",\"address\":\"%s\",\"transport\":\"%s\",\"payloadBytes\":%zu,\"cpu\":%d,\"wait\":\"%s\",\"xdp\":%s,\"seconds\":%.3f", address,
           TRANSPORTS[it->hello.transport], me->message_bytes, me->cpu, me->spins ? "spin" : "block", me->xdp != NULL ? "true" : "false", (double)(raw_clock_ns() - it->begun_ns) / 1e9);
  text_add(&line, ",\"received\":%llu,\"replied\":%llu,\"repeated\":%llu,\"reordered\":%llu,\"damaged\":%llu,\"overflowed\":%llu,\"strangers\":%llu,\"end\":\"%s\"}\n",
           (unsigned long long)me->tally.received, (unsigned long long)me->tally.replied, (unsigned long long)me->tally.repeated,
           (unsigned long long)me->tally.reordered, (unsigned long long)me->tally.damaged, (unsigned long long)me->tally.overflowed, (unsigned long long)me->tally.strangers, why);
  if (write(STDOUT_FILENO, line.data, line.length) != (ssize_t)line.length) fail("standard output cannot be written: %s", strerror(errno));
  text_free(&line);
}

void conversation_end(struct conversation *it, bool says_tally, const char *why) {
  struct answerer *me = it->answerer;
  answer_stop(me);
  if (me->xdp != NULL) me->tally.overflowed = xdp_overflowed(me->xdp);
  else if (!me->is_over_tcp) me->tally.overflowed = session_overflowed(me->messages);
  if (says_tally) {
    ssize_t ignored = send(it->connection, &me->tally, sizeof me->tally, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)ignored;
  }
  release(me);
  close(it->connection);
  it->is_open = false;
  report(it, why);
}

void conversations_look(struct conversations *them) {
  uint64_t now = raw_clock_ns();
  for (int i = 0; i < them->count; i++) {
    struct conversation *it = &them->all[i];
    if (!it->is_open) continue;
    uint64_t heard = atomic_load(&it->answerer->heard);
    if (heard != it->heard) it->heard_ns = now;
    it->heard = heard;
    if (atomic_load(&it->answerer->has_ended)) {
      bool is_told = it->answerer->was_last;
      conversation_end(it, is_told, is_told ? "done" : "closed");
    } else if (now - it->heard_ns > them->idle_ns) {
      conversation_end(it, false, "idle");
    }
  }
}

void conversation_hear(struct conversation *it) {
  struct farewell farewell;
  ssize_t got = recv(it->connection, &farewell, sizeof farewell, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  bool is_told = got == (ssize_t)sizeof farewell && farewell.magic == SESSION_MAGIC;
  conversation_end(it, is_told, is_told ? "done" : got > 0 ? "nonsense" : "closed");
}
