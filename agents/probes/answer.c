#include "answer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "placement.h"

/* A thread that sleeps looks this often whether it is to stop. */
#define LOOK_UP_MS 250

static bool must_stop(struct answerer *me) { return atomic_load_explicit(&me->stop, memory_order_relaxed); }

/* 64 numbers a word; those behind the highest by as many as there is room for are known. */
static bool is_repeated(struct answerer *me, uint64_t number) {
  if (number > me->highest) {
    uint64_t from = number - me->highest > SEEN_NUMBERS ? number - SEEN_NUMBERS : me->highest;
    for (uint64_t each = from + 1; each <= number; each++) me->seen[each / 64 % (SEEN_NUMBERS / 64)] &= ~(UINT64_C(1) << each % 64);
    me->highest = number;
  } else if (me->highest - number >= SEEN_NUMBERS) {
    me->tally.reordered++;
    return false;
  } else {
    if ((me->seen[number / 64 % (SEEN_NUMBERS / 64)] >> number % 64 & 1) != 0) return true;
    me->tally.reordered++;
  }
  me->seen[number / 64 % (SEEN_NUMBERS / 64)] |= UINT64_C(1) << number % 64;
  return false;
}

/* What the kernel and the card noted of replies that have gone. */
static void take_notes(struct answerer *me) {
  uint32_t id;
  struct stamps stamps;
  while (unnoted_any(&me->unnoted) && stamps_next(me->messages, &id, &stamps)) {
    bool is_last = !me->has_hardware || stamps.ns[BY_CARD] != 0;
    uint64_t number = unnoted_find(&me->unnoted, id, is_last);
    if (number == 0) continue;
    if (number != me->noting) me->noted = (struct stamps){0};
    me->noting = number;
    for (int by = 0; by < STAMP_SOURCES; by++)
      if (stamps.ns[by] != 0) me->noted.ns[by] = stamps.ns[by];
    if (!is_last) continue;
    me->earlier = number;
    me->earlier_sent = me->noted;
  }
}

static void put(struct answerer *me, bool is_stamped) {
  if (me->xdp != NULL) {
    xdp_send(me->xdp, me->room);
    me->tally.replied++;
    return;
  }
  for (size_t done = 0; done < me->message_bytes && !must_stop(me);) {
    const char *rest = (const char *)me->room + done;
    size_t bytes = me->message_bytes - done;
    ssize_t sent = is_stamped ? stamps_send(me->messages, rest, bytes, me->has_hardware) : send(me->messages, rest, bytes, MSG_NOSIGNAL);
    if (sent > 0) done += (size_t)sent;
    else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS) return; /* it is lost, and whoever has gone is noticed elsewhere */
  }
  me->bytes_sent += (uint32_t)me->message_bytes;
  me->tally.replied++;
}

static void reply_to(struct answerer *me, struct datagram *message, const struct stamps *received) {
  bool is_stamped = (message->flags & IS_STAMPED) != 0 && me->xdp == NULL;
  message->token = me->reply_token;
  if (is_stamped) {
    take_notes(me);
    memcpy(message->received_ns, received->ns, sizeof message->received_ns);
    memcpy(message->sent_ns, me->earlier_sent.ns, sizeof message->sent_ns);
    message->earlier = me->earlier;
  }
  uint64_t number = message->number;
  datagram_seal(message, me->message_bytes);
  put(me, is_stamped);
  if (!is_stamped) return;
  unnoted_add(&me->unnoted, me->is_over_tcp ? me->bytes_sent - 1 : me->stamped_datagrams++, number);
  take_notes(me);
}

/* false: it was the last. */
static bool take_message(struct answerer *me, const struct stamps *received) {
  struct datagram *message = (struct datagram *)me->room;
  if (message->token != me->request_token) {
    me->tally.strangers++;
    return true;
  }
  if (!datagram_is_whole(message, me->message_bytes)) {
    me->tally.damaged++;
    return true;
  }
  me->was_last = me->is_over_tcp && (message->flags & IS_LAST) != 0;
  if (!me->was_last && is_repeated(me, message->number)) {
    me->tally.repeated++;
    return true;
  }
  atomic_fetch_add_explicit(&me->heard, 1, memory_order_relaxed);
  if (!me->was_last) me->tally.received++;
  reply_to(me, message, received);
  if (me->was_last) me->tally.replied--;
  return !me->was_last;
}

/* Whole messages of a stream; a datagram is whole or somebody else's. false: the conversation is over. */
static bool take_bytes(struct answerer *me, size_t *done, size_t got, const struct stamps *received) {
  if (!me->is_over_tcp && got != me->message_bytes) {
    me->tally.strangers++;
    return true;
  }
  *done += got;
  if (*done < me->message_bytes) return true;
  *done = 0;
  return take_message(me, received);
}

static ssize_t look(struct answerer *me, size_t done, struct stamps *received) {
  char *room = (char *)me->room + done;
  if (me->xdp == NULL) return stamps_receive(me->messages, room, me->message_bytes - done, me->spins ? MSG_DONTWAIT : 0, received);
  *received = (struct stamps){0};
  if (!me->spins) xdp_wait(me->xdp, LOOK_UP_MS);
  return xdp_receive(me->xdp, room, me->message_bytes);
}

static void *answer(void *argument) {
  struct answerer *me = argument;
  size_t done = 0;
  pin_to(me->cpu);
  while (!must_stop(me)) {
    struct stamps received;
    ssize_t got = look(me, done, &received);
    if (got < 0) {
      int why = errno;
      if (me->has_hardware && unnoted_any(&me->unnoted)) take_notes(me);
      if (why != EAGAIN && why != EINTR && why != ECONNREFUSED) break;
      continue;
    }
    if (got == 0 && (me->is_over_tcp || must_stop(me))) break;
    if (!take_bytes(me, &done, (size_t)got, &received)) break;
  }
  uint64_t one = 1;
  atomic_store(&me->has_ended, true);
  ssize_t ignored = write(me->done, &one, sizeof one);
  (void)ignored;
  return NULL;
}

bool answer_start(struct answerer *me) {
  me->tally.magic = SESSION_MAGIC;
  errno = pthread_create(&me->thread, NULL, answer, me);
  return errno == 0;
}

void answer_stop(struct answerer *me) {
  atomic_store(&me->stop, true);
  /* Wakes one that sleeps in recvmsg. */
  shutdown(me->messages, SHUT_RD);
  pthread_join(me->thread, NULL);
}
