package interop;

/** The forms of Bolt that a raw client can speak. */
enum RawVariant {
    V1("v1", 1, 1, false),
    V2("v2", 2, 2, false),
    V2_CRC("v2crc", 2, 2, true),
    /** Protocol 2 in version 1 with the CRC switch on: the switch says yes and no frame carries a CRC. */
    V2_1("v2.1", 2, 1, true);

    final String label;
    final int protocol;
    final int version;
    final boolean crc;

    RawVariant(String label, int protocol, int version, boolean crc) {
        this.label = label;
        this.protocol = protocol;
        this.version = version;
        this.crc = crc;
    }
}
