/** IEEE 1588 and each profile's own domains. */
export const PROFILES = {
  default: { domain: 0, range: [0, 127], transports: ['udpv4', 'udpv6', 'l2'] },
  'g8275.1': { domain: 24, range: [24, 43], transports: ['l2'] },
  'g8275.2': { domain: 44, range: [44, 63], transports: ['udpv4', 'udpv6'] },
  enterprise: { domain: 0, range: [0, 127], transports: ['udpv4', 'udpv6'] },
} as const;

export type Transport = 'udpv4' | 'udpv6' | 'l2';
