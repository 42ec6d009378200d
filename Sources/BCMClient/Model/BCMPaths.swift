/// Where BCM keeps things on head nodes and on the nodes that it manages.
public enum BCMPaths {
    /// The cluster's certificate authority, which signed the certificates of all head nodes.
    public static let authority = "/cm/local/apps/cmd/etc/cacert.pem"
    /// The administrator's client certificate, on head nodes.
    public static let administratorCertificate = "/root/.cm/admin.pem"
    /// The key of ``administratorCertificate``.
    public static let administratorKey = "/root/.cm/admin.key"
    /// The client certificate that BCM's own daemon has on every node.
    public static let nodeCertificate = "/cm/local/apps/cmd/etc/cert.pem"
    /// The key of ``nodeCertificate``.
    public static let nodeKey = "/cm/local/apps/cmd/etc/cert.key"
    /// BCM's shell, on head nodes.
    public static let cmsh = "/cm/local/apps/cmd/bin/cmsh"
}
