//! Protocols of frames (`ETH_P_*` of `linux/if_ether.h`).

/// Names by number: the words that iproute2 prints, and after them those it does not know. The
/// first name of a number is shown, every one is understood.
pub const NAMES: [(u16, &str); 66] = [
    (0x0060, "loop"),
    (0x0200, "pup"),
    (0x0201, "pupat"),
    (0x0800, "ip"),
    (0x0805, "x25"),
    (0x0806, "arp"),
    (0x08ff, "bpq"),
    (0x0a00, "ieeepup"),
    (0x0a01, "ieeepupat"),
    (0x6000, "dec"),
    (0x6001, "dna_dl"),
    (0x6002, "dna_rc"),
    (0x6003, "dna_rt"),
    (0x6004, "lat"),
    (0x6005, "diag"),
    (0x6006, "cust"),
    (0x6007, "sca"),
    (0x8035, "rarp"),
    (0x809b, "atalk"),
    (0x80f3, "aarp"),
    (0x8137, "ipx"),
    (0x86dd, "ipv6"),
    (0x8863, "ppp_disc"),
    (0x8864, "ppp_ses"),
    (0x884c, "atmmpoa"),
    (0x8884, "atmfate"),
    (0x0001, "802_3"),
    (0x0002, "ax25"),
    (0x0003, "all"),
    (0x0004, "802_2"),
    (0x0005, "snap"),
    (0x0006, "ddcmp"),
    (0x0007, "wan_ppp"),
    (0x0008, "ppp_mp"),
    (0x0009, "localtalk"),
    (0x000c, "can"),
    (0x0010, "ppptalk"),
    (0x0011, "tr_802_2"),
    (0x0015, "mobitex"),
    (0x0016, "control"),
    (0x0017, "irda"),
    (0x0018, "econet"),
    (0x88ca, "tipc"),
    (0x8892, "profinet"),
    (0x88a2, "aoe"),
    (0x88a4, "ethercat"),
    (0x8100, "802.1Q"),
    (0x88a8, "802.1ad"),
    (0x8847, "mpls_uc"),
    (0x8848, "mpls_mc"),
    (0x6558, "teb"),
    (0x8902, "cfm"),
    (0x88cc, "LLDP"),
    (0x0800, "ipv4"),
    (0x000d, "canfd"),
    (0x000e, "canxl"),
    (0x8808, "pause"),
    (0x8809, "slow"),
    (0x888e, "eapol"),
    (0x88c7, "preauth"),
    (0x88e5, "macsec"),
    (0x88f7, "ptp"),
    (0x8906, "fcoe"),
    (0x892f, "hsr"),
    (0x9000, "loopback"),
    (0x22f0, "tsn"),
];

/// The word for a protocol.
pub fn name(number: u16) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The protocol of a word, in any case, or of a number, `0x` allowed.
pub fn number(word: &str) -> Option<u16> {
    let by_name = NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
    by_name.map(|(number, _)| *number).or_else(|| match word.strip_prefix("0x") {
        Some(hex) => u16::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_numbers_are_read_too() {
        for (known, name) in NAMES {
            assert_eq!(number(name), Some(known), "{name}");
        }
        assert_eq!(
            (number("ARP"), number("0x88cc"), number("3")),
            (Some(0x806), Some(0x88cc), Some(3))
        );
        assert_eq!((name(0x0800), name(0x1234), number("nosuch")), (Some("ip"), None, None));
    }
}
