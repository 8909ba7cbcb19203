/* The network card that a socket's packets go through, and whether it notes itself when they do. Nothing is switched on here. */
#ifndef HFT_NETWORK_CARD_H
#define HFT_NETWORK_CARD_H

#include <stdbool.h>

struct card {
  char name[16];     /* eth0; "?" where no interface has the socket's address */
  bool has_hardware; /* it stamps every packet in both directions, now */
  char why_not[160]; /* and what would have to be done; without quotes or backslashes */
};

/* By the local address of a connected socket. https://docs.kernel.org/networking/timestamping.html */
void card_of_socket(struct card *card, int file);

#endif
