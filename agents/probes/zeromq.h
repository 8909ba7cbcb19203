/* hft-probe zeromq. */
#ifndef HFT_ZEROMQ_H
#define HFT_ZEROMQ_H

/* Does not return. */
void zeromq(char **argv);

#endif
