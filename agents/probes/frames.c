#include "frames.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "frames are written as the machine has them, which must be little endian"
#endif

void text_add(struct text *text, const char *format, ...) {
  for (;;) {
    va_list values;
    va_start(values, format);
    size_t room = text->capacity - text->length;
    int length = vsnprintf(text->data == NULL ? NULL : text->data + text->length, room, format, values);
    va_end(values);
    if (length < 0) fail("a text cannot be formatted: %s", format);
    if ((size_t)length < room) {
      text->length += (size_t)length;
      return;
    }
    text->capacity = 2 * text->capacity + (size_t)length + 1024;
    text->data = realloc(text->data, text->capacity);
    if (text->data == NULL) fail("no memory for a text of %zu bytes", text->capacity);
  }
}

void text_free(struct text *text) {
  free(text->data);
  *text = (struct text){0};
}

static void write_whole(const void *data, size_t bytes) {
  const char *at = data;
  while (bytes > 0) {
    ssize_t written = write(STDOUT_FILENO, at, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("standard output cannot be written: %s", strerror(errno));
    at += written;
    bytes -= (size_t)written;
  }
}

struct frame_head {
  uint32_t type;
  uint32_t payload_bytes;
};

static void write_padding(size_t payload_bytes) {
  static const char zeros[8];
  write_whole(zeros, (8 - payload_bytes % 8) % 8);
}

void frame_json(enum frame_type type, const struct text *text) {
  struct frame_head head = {type, (uint32_t)text->length};
  write_whole(&head, sizeof head);
  write_whole(text->data, text->length);
  write_padding(text->length);
}

struct pair {
  uint32_t bucket;
  uint32_t count;
};

struct block_frame {
  struct frame_head head;
  uint32_t stream;
  uint32_t index;
  uint64_t start_ns;
  uint64_t duration_ns;
  uint64_t count;
  uint64_t min_ns;
  uint64_t max_ns;
  uint64_t sum_ns;
  uint32_t pairs;
  uint32_t zero;
  struct pair pair[BUCKETS];
};

void frame_block(const struct block_times *times, const struct histogram *histogram) {
  static struct block_frame frame;
  uint32_t pairs = 0;
  uint64_t left = histogram->count;
  for (uint32_t bucket = 0; left > 0 && bucket < BUCKETS; bucket++) {
    if (histogram->counts[bucket] == 0) continue;
    frame.pair[pairs++] = (struct pair){bucket, histogram->counts[bucket]};
    left -= histogram->counts[bucket];
  }
  size_t bytes = offsetof(struct block_frame, pair) + pairs * sizeof(struct pair);
  frame.head = (struct frame_head){FRAME_BLOCK, (uint32_t)(bytes - sizeof frame.head)};
  frame.stream = times->stream;
  frame.index = times->index;
  frame.start_ns = times->start_ns;
  frame.duration_ns = times->duration_ns;
  frame.count = histogram->count;
  frame.min_ns = histogram->count == 0 ? 0 : histogram->min;
  frame.max_ns = histogram->max;
  frame.sum_ns = histogram->sum;
  frame.pairs = pairs;
  frame.zero = 0;
  write_whole(&frame, bytes);
}

void frame_gaps(uint32_t stream, const struct gap *gaps, size_t count) {
  while (count > 0) {
    uint32_t part = count < GAPS_PER_FRAME ? (uint32_t)count : GAPS_PER_FRAME;
    uint32_t words[4] = {FRAME_GAPS, (uint32_t)(8 + part * sizeof *gaps), stream, part};
    write_whole(words, sizeof words);
    write_whole(gaps, part * sizeof *gaps);
    gaps += part;
    count -= part;
  }
}
