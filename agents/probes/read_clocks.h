/* `read-clocks [DEVICE]...`: what the kernel says of the system clock, and how far it is from each PTP clock. */
#ifndef HFT_READ_CLOCKS_H
#define HFT_READ_CLOCKS_H

int read_clocks(char **arguments);

#endif
