/* What a card does with packets before anybody sees them. Read, never changed. */
#ifndef HFT_OFFLOADS_H
#define HFT_OFFLOADS_H

#include <stdbool.h>

/* NULL: neither is on. Else the name of one (`rx-lro`, as ethtool -k has it) that joins received packets. false with errno: not known. */
bool offloads_find_joining(const char *interface, const char **name);

#endif
