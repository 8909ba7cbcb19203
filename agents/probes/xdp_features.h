/* `xdp-features INTERFACE...`: what the drivers of network interfaces can do with XDP, as the kernel says it since 6.3. */
#ifndef HFT_XDP_FEATURES_H
#define HFT_XDP_FEATURES_H

int xdp_features(char **arguments);

#endif
