#include "peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failure.h"
#include "stamps.h"

#define GREETING_PATIENCE_MS 5000
#define END_PATIENCE_MS 3000
#define NEED "a responder at the other end: hft verify latency --serve --listen ADDRESS"

static void connect_to(struct peer *peer, const struct peer_terms *terms) {
  if (strncmp(terms->server, "unix:", 5) == 0) usage("--server: expected an IP address and a port, got \"%.60s\"", terms->server);
  address_parse(&peer->address, terms->server);
  peer->connection = connection_try(&peer->address);
  if (peer->connection >= 0) return;
  int reason = errno;
  const char *name = peer->address.name;
  if (reason == ECONNREFUSED) unsupported(NEED, "nobody listens at %s: %s", name, strerror(reason));
  if (reason == ETIMEDOUT)
    unsupported(NEED ", and a firewall that lets TCP and UDP of that port pass", "nobody answers at %s within 5 s", name);
  unsupported("a route to the peer", "%s cannot be reached: %s", name, strerror(reason));
}

/* On the address from which the connection goes, so that the responder knows whose datagrams these are. */
static int open_datagrams(const struct peer *peer) {
  struct address local = {.bytes = sizeof local.of};
  int file = socket(peer->address.of.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (file < 0 || getsockname(peer->connection, &local.of.any, &local.bytes) != 0) fail("a socket for datagrams: %s", strerror(errno));
  if (local.of.any.sa_family == AF_INET) local.of.v4.sin_port = 0;
  else local.of.v6.sin6_port = 0;
  if (bind(file, &local.of.any, local.bytes) != 0) fail("a socket for datagrams: bind: %s", strerror(errno));
  session_widen(file);
  if (connect(file, &peer->address.of.any, peer->address.bytes) != 0) fail("datagrams to %s: %s", peer->address.name, strerror(errno));
  return file;
}

static uint32_t port_of(int file) {
  struct address local = {.bytes = sizeof local.of};
  if (getsockname(file, &local.of.any, &local.bytes) != 0) fail("getsockname: %s", strerror(errno));
  return ntohs(local.of.any.sa_family == AF_INET ? local.of.v4.sin_port : local.of.v6.sin6_port);
}

/* Whole, or false. */
static bool hear_whole(int file, void *data, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    size_t got = connection_hear(file, (char *)data + done, bytes - done);
    if (got == 0) return false;
    done += got;
  }
  return true;
}

/* The same, at the end, when the peer may be gone. */
static bool hear_quietly(int file, void *data, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    ssize_t got = recv(file, (char *)data + done, bytes - done, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += (size_t)got;
  }
  return true;
}

static _Noreturn void say_refusal(const struct peer *peer, const struct welcome *welcome) {
  const char *name = peer->address.name;
  if (welcome->refusal == REFUSED_BUSY)
    unsupported("a time when nobody else measures with that responder, or more CPUs for it (--cpus)", "the responder at %s is busy: %s", name, welcome->why);
  if (welcome->refusal == REFUSED_TERMS) unsupported("other terms", "the responder at %s refuses these: %s", name, welcome->why);
  unsupported("a responder that can start", "the responder at %s cannot: %s", name, welcome->why);
}

static void check_welcome(const struct peer *peer, struct welcome *welcome, bool is_whole) {
  const char *name = peer->address.name;
  session_clean(welcome->why, sizeof welcome->why);
  session_clean(welcome->facts.program, sizeof welcome->facts.program);
  session_clean(welcome->facts.card, sizeof welcome->facts.card);
  session_clean(welcome->facts.why_no_hardware, sizeof welcome->facts.why_no_hardware);
  session_clean(welcome->facts.clock, sizeof welcome->facts.clock);
  if (!is_whole) unsupported(NEED, "what listens at %s %s", name, errno == EAGAIN ? "says nothing" : "closes the connection at once");
  if (welcome->magic != SESSION_MAGIC) unsupported(NEED, "what answers at %s is no responder of hft", name);
  if (welcome->version != SESSION_VERSION)
    unsupported("the same version of hft at both ends", "the responder at %s speaks version %u of the protocol, this end %u", name, welcome->version,
                SESSION_VERSION);
  if (welcome->refusal != NOT_REFUSED) say_refusal(peer, welcome);
}

void peer_greet(struct peer *peer, const struct peer_terms *terms) {
  struct hello hello = {.magic = SESSION_MAGIC, .version = SESSION_VERSION};
  bool is_tcp = terms->transport == OVER_TCP;
  *peer = (struct peer){0};
  connect_to(peer, terms);
  session_describe_end(&peer->here, peer->connection);
  peer->messages = is_tcp ? peer->connection : open_datagrams(peer);
  peer->is_stamping = stamps_enable(peer->messages, peer->here.has_hardware);
  hello.transport = terms->transport;
  hello.message_bytes = (uint32_t)terms->message_bytes;
  hello.wait = (uint32_t)terms->wait;
  hello.udp_port = is_tcp ? 0 : port_of(peer->messages);
  hello.wants_xdp = terms->wants_xdp;
  hello.facts = peer->here;
  connection_set_patience(peer->connection, GREETING_PATIENCE_MS);
  connection_say(peer->connection, &hello, sizeof hello);
  peer->bytes_sent = sizeof hello;
  check_welcome(peer, &peer->welcome, hear_whole(peer->connection, &peer->welcome, sizeof peer->welcome));
  static const uint8_t nobodys[16];
  const uint8_t *boot = peer->here.boot;
  peer->has_same_clock = memcmp(boot, nobodys, 16) != 0 && memcmp(boot, peer->welcome.facts.boot, 16) == 0;
}

void peer_watch(const struct peer *peer) {
  char byte;
  if (peer->messages == peer->connection) return; /* whoever reads the messages sees it */
  ssize_t got = recv(peer->connection, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got == 0) {
    errno = 0;
    peer_fail(peer, "the conversation");
  }
  if (got < 0 && errno != EAGAIN && errno != EINTR) peer_fail(peer, "the conversation");
}

_Noreturn void peer_fail(const struct peer *peer, const char *what) {
  const char *why = errno == 0 ? "it closed the connection" : strerror(errno);
  fail("the responder at %s is gone while it was measured (%s: %s): it was ended, or its host or the way to it broke", peer->address.name, what, why);
}

static bool say(int file, const void *data, size_t bytes) { return send(file, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes; }

/* The reply to the last message; before it those of a run that was cut. */
static bool skip_replies(int file, size_t message_bytes) {
  char room[MOST_SESSION_MESSAGE];
  struct datagram reply;
  do {
    if (!hear_quietly(file, room, message_bytes)) return false;
    memcpy(&reply, room, sizeof reply);
  } while ((reply.flags & IS_LAST) == 0);
  return true;
}

static bool part_from_messages(struct peer *peer, size_t message_bytes) {
  _Alignas(8) char room[MOST_SESSION_MESSAGE] = {0};
  struct datagram *last = (struct datagram *)(void *)room;
  last->token = peer->welcome.request_token;
  last->flags = IS_LAST;
  datagram_seal(last, message_bytes);
  return say(peer->connection, room, message_bytes) && skip_replies(peer->connection, message_bytes);
}

bool peer_part(struct peer *peer, size_t message_bytes, struct tally *tally) {
  struct farewell farewell = {.magic = SESSION_MAGIC};
  bool is_tcp = peer->messages == peer->connection;
  connection_set_patience(peer->connection, END_PATIENCE_MS);
  if (is_tcp ? !part_from_messages(peer, message_bytes) : !say(peer->connection, &farewell, sizeof farewell)) return false;
  return hear_quietly(peer->connection, tally, sizeof *tally) && tally->magic == SESSION_MAGIC;
}
