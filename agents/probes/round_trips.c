#include "round_trips.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "failure.h"

/* A closed loop goes on without a reply after this long; one that comes later is a sample all the same. */
#define CLOSED_PATIENCE_NS (200 * 1000 * 1000)
#define END_PATIENCE_NS NS_PER_SECOND
/* block: awake this long before the next is to be sent. */
#define AWAKE_NS (20 * 1000)

/* Of something sent with a stamp: what the kernel noted meanwhile. */
static void take_notes(struct round_trips *all) {
  uint32_t id;
  struct stamps stamps;
  bool two = all->peer.here.has_hardware;
  while (unnoted_any(&all->unnoted) && stamps_next(all->peer.messages, &id, &stamps)) {
    bool is_last = !two || stamps.ns[BY_CARD] != 0;
    uint64_t number = unnoted_find(&all->unnoted, id, is_last);
    struct trip *trip = trips_at(&all->trips, number);
    if (number == 0 || trip->number != number) continue;
    for (int by = 0; by < STAMP_SOURCES; by++)
      if (stamps.ns[by] != 0) trip->sent.ns[by] = stamps.ns[by];
  }
}

static void expect_note(struct round_trips *all, uint64_t number) {
  uint32_t id = all->is_over_tcp ? all->peer.bytes_sent - 1 : all->stamped_datagrams++;
  unnoted_add(&all->unnoted, id, number);
  all->stamped++;
}

/* All of it, however long the kernel takes. */
static void put(struct round_trips *all, bool is_stamped) {
  if (all->xdp != NULL) return xdp_send(all->xdp, all->outgoing);
  int file = all->peer.messages;
  for (size_t done = 0; done < all->message_bytes && !run_stopped(all->run);) {
    const char *rest = (const char *)all->outgoing + done;
    size_t bytes = all->message_bytes - done;
    ssize_t sent = is_stamped ? stamps_send(file, rest, bytes, all->peer.here.has_hardware) : send(file, rest, bytes, MSG_NOSIGNAL);
    if (LIKELY(sent > 0)) done += (size_t)sent;
    else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS) peer_fail(&all->peer, "send");
  }
  all->peer.bytes_sent += (uint32_t)all->message_bytes;
}

uint64_t round_trips_send(struct round_trips *all, enum trip_kind kind, uint64_t intended) {
  struct datagram *datagram = (struct datagram *)all->outgoing;
  uint64_t number = ++all->number;
  bool is_stamped = (kind == KIND_STAMPED || kind == KIND_WARM) && all->peer.is_stamping;
  datagram->token = all->peer.welcome.request_token;
  datagram->number = number;
  datagram->flags = is_stamped ? IS_STAMPED : 0;
  datagram_seal(datagram, all->message_bytes);
  struct trip *trip = trips_begin(&all->trips, number);
  trip->intended = intended;
  trip->kind = (uint8_t)kind;
  trip->is_stamped = is_stamped;
  if (UNLIKELY(is_stamped)) trip->sent_ns = real_clock_ns();
  put(all, is_stamped);
  if (UNLIKELY(is_stamped)) expect_note(all, number);
  return number;
}

static const int STREAM_OF[TRIP_KINDS] = {[KIND_OPEN] = STREAM_OPEN, [KIND_CLOSED] = STREAM_CLOSED, [KIND_STAMPED] = STREAM_STAMPED};

static void take_sample(struct round_trips *all, const struct trip *trip, uint64_t now) {
  if (UNLIKELY(trip->kind == KIND_WARM)) return;
  int stream = STREAM_OF[trip->kind];
  if (UNLIKELY(stream != all->running)) {
    if (all->running >= 0) recorder_pause(&all->streams[all->running], now);
    if (all->running == STREAM_STAMPED) split_pause(&all->split, now);
    recorder_resume(&all->streams[stream], now);
    all->running = stream;
  }
  recorder_add(&all->streams[stream], now, clock_ns_of(now - trip->intended));
}

/* What a reply says of an earlier one, whose sending was noted after it had gone. */
static void take_earlier(struct round_trips *all, const struct datagram *reply, uint64_t now) {
  struct trip *trip = trips_at(&all->trips, reply->earlier);
  if (reply->earlier == 0 || trip->number != reply->earlier || !trip->is_stamped || !trip->is_answered) return;
  for (int by = 0; by < STAMP_SOURCES; by++) trip->peer_sent.ns[by] = reply->sent_ns[by];
  split_take(&all->split, trip, now);
}

static void take_reply(struct round_trips *all, const struct stamps *stamps) {
  uint64_t now = clock_now();
  const struct datagram *reply = (const struct datagram *)all->incoming;
  if (UNLIKELY(reply->token != all->peer.welcome.reply_token)) {
    all->strangers++;
    return;
  }
  if (UNLIKELY(!datagram_is_whole(reply, all->message_bytes))) {
    all->damaged++;
    return;
  }
  struct trip *trip = trips_answer(&all->trips, reply->number);
  if (UNLIKELY(trip == NULL)) return;
  take_sample(all, trip, now);
  if (LIKELY(!trip->is_stamped)) return;
  trip->received_ns = real_clock_ns();
  trip->received = *stamps;
  for (int by = 0; by < STAMP_SOURCES; by++) trip->peer_received.ns[by] = reply->received_ns[by];
  take_notes(all);
  take_earlier(all, reply, now);
}

/* At most one reply. false: none is there. */
static bool look_for_reply(struct round_trips *all) {
  struct stamps stamps;
  char *room = (char *)all->incoming + all->done;
  ssize_t got = all->xdp != NULL ? xdp_receive(all->xdp, room, all->message_bytes)
                                 : stamps_receive(all->peer.messages, room, all->message_bytes - all->done, MSG_DONTWAIT, &stamps);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got < 0) peer_fail(&all->peer, "receive");
  if (all->is_over_tcp) {
    errno = 0;
    if (got == 0) peer_fail(&all->peer, "receive");
    all->done += (size_t)got;
    if (all->done < all->message_bytes) return true;
    all->done = 0;
  } else if ((size_t)got != all->message_bytes) {
    all->strangers++;
    return true;
  }
  take_reply(all, &stamps);
  return true;
}

static bool is_any_under_way(const struct round_trips *all) { return all->trips.answered < all->trips.sent; }
static bool is_under_way(const struct round_trips *all, uint64_t number) {
  return number != 0 && !trips_at(&all->trips, number)->is_answered;
}

/* block: until something comes, or `ticks` have passed. */
static void sleep_for_reply(const struct round_trips *all, uint64_t ticks) {
  struct pollfd wait = {.fd = all->peer.messages, .events = POLLIN};
  uint64_t ns = clock_ns_of(ticks);
  struct timespec most = {.tv_sec = (time_t)(ns / NS_PER_SECOND), .tv_nsec = (long)(ns % NS_PER_SECOND)};
  ppoll(&wait, 1, &most, NULL);
}

/* Takes what comes until then, or until `awaited` is back. Returns the time. */
static uint64_t take_until(struct round_trips *all, uint64_t until, uint64_t awaited) {
  uint64_t awake = clock_ticks_in(AWAKE_NS);
  for (;;) {
    uint64_t now = clock_now();
    if (now >= until || (awaited != 0 && !is_under_way(all, awaited)) || run_stopped(all->run)) return now;
    if (!is_any_under_way(all)) continue;
    if (unnoted_any(&all->unnoted)) take_notes(all);
    if (all->blocks && is_under_way(all, all->number) && until - now > awake) sleep_for_reply(all, until - now - awake);
    look_for_reply(all);
  }
}

void round_trips_closed(struct round_trips *all, enum trip_kind kind, uint64_t until) {
  for (uint64_t now; (now = clock_now()) < until && !run_stopped(all->run);) {
    uint64_t number = round_trips_send(all, kind, now);
    uint64_t patience = now + clock_ticks_in(CLOSED_PATIENCE_NS);
    /* The open loop that is next must not be late because one of these was lost. */
    take_until(all, patience < until ? patience : until, number);
  }
}

void round_trips_open(struct round_trips *all, enum trip_kind kind, uint64_t from, uint64_t until) {
  uint64_t intended = from;
  for (; intended < until && !run_stopped(all->run); intended += all->interval_ticks) {
    uint64_t now = take_until(all, intended, 0);
    /* A rate that cannot be kept would go on for ever. */
    if (now >= all->run->end || now < intended) break;
    round_trips_send(all, kind, intended);
    /* Whoever is behind sends one after the other: what comes meanwhile is taken in between. */
    if (is_any_under_way(all)) look_for_reply(all);
  }
  if (!run_stopped(all->run) && intended < until) all->unsent += (until - intended + all->interval_ticks - 1) / all->interval_ticks;
}

void round_trips_await(struct round_trips *all) {
  uint64_t last = clock_now() + clock_ticks_in(END_PATIENCE_NS);
  while (is_any_under_way(all) && clock_now() < last && !run_stopped(all->run))
    if (!look_for_reply(all) && all->blocks) sleep_for_reply(all, clock_ticks_in(AWAKE_NS));
}
