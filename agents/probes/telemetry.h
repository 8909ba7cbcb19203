#ifndef HFT_TELEMETRY_H
#define HFT_TELEMETRY_H

/*
 * hft-probe telemetry SOCKET REQUEST...: asks a DPDK process over its telemetry socket (SOCK_SEQPACKET), e.g. /ethdev/stats,0. Prints
 * the greeting and the answer to each request, a line of JSON each. Every wait ends after five seconds.
 * https://doc.dpdk.org/guides/howto/telemetry.html
 */
int telemetry(char **arguments);

#endif
