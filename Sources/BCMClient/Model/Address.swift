import Glibc

/// Whether this is an IPv6 address in text form, without brackets or zone.
func isIPv6Address(_ text: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET6, text, &address) == 1
}

/// Whether this is an IPv4 address in dotted form.
func isIPv4Address(_ text: String) -> Bool {
    var address = in_addr()
    return inet_pton(AF_INET, text, &address) == 1
}
