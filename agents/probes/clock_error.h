/* How far the host's clock can be from UTC, by the program that disciplines it. */
#ifndef HFT_CLOCK_ERROR_H
#define HFT_CLOCK_ERROR_H

#include <stdbool.h>
#include <stdint.h>

struct clock_error {
  bool is_known;
  uint64_t most_ns;
  char who[96]; /* "chrony, stratum 2", or why nobody says; without quotes or backslashes */
};

/* Asks chronyc(1), a second at most. */
void clock_error_ask(struct clock_error *error);

/* `chronyc -c tracking`: root delay / 2 + root dispersion + what is still to be corrected. */
void clock_error_read(struct clock_error *error, char *line);

#endif
