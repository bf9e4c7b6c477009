/// Where the project reads a capture otherwise than Wireshark 4.0, and why.
/// Found on the captures of other projects in ../shared/corpora.

const NEW_LINK_TYPE =
  'Wireshark refuses a whole file whose link type it does not know; here its packets are counted as undecodable.';
const RESERVED_BITS =
  'The upper bits of the link-type field are reserved and set. Wireshark refuses the file, libpcap and the project look past them.';
const READS_AHEAD =
  'Wireshark reads the second packet before it opens a file and refuses all of it; here what came before the damage is kept.';
const NONSENSE_HEADERS =
  'A file made by a fuzzer. Wireshark takes it for another variant of pcap by the nonsense in its record headers.';
const NO_RECORD_THERE =
  'A file made by a fuzzer: record headers of zeros, or years from their neighbours with nothing after them. Wireshark takes them for packets, here they are damage.';
const GOES_ON = 'Wireshark stops at the damage; here reading goes on where records can be found again.';
const MINOR_VERSION =
  'pcapng 1.1. Wireshark 4.0 refuses it; the specification lets readers of 1.0 go on with a higher minor version.';

/// Packets that the project reads in files where Wireshark reads another number or none.
export const PACKET_COUNTS: Record<string, { packets: number; why: string }> = {};

function know(why: string, folder: string, counts: Record<string, number>): void {
  for (const [name, packets] of Object.entries(counts)) PACKET_COUNTS[`${folder}/${name}`] = { packets, why };
}

know(NEW_LINK_TYPE, 'libpcap/tests/filter', {
  'brcm-tag-stp.pcap': 4,
  'brcm-tag.pcap': 15,
  'dsa.pcap': 8,
});
know(NEW_LINK_TYPE, 'tcpdump/tests', {
  'brcm-tag-prepend.pcap': 15,
  'brcm-tag.pcap': 23,
  'dsa-high-vid.pcap': 4,
  'dsa.pcap': 8,
  'edsa-high-vid.pcap': 4,
  'edsa.pcap': 10,
  'frf16_magic_ie-oobr.pcap': 1,
  'juniper_monitor_invalid_cookie_length.pcap': 1,
  'kday6.pcap': 1,
  'vtp_asan-2.pcap': 1,
  'vtp_asan-3.pcap': 1,
  'vtp_asan.pcap': 1,
});
know(RESERVED_BITS, 'libpcap/tests', { 'linktype-reserved-field-not-zero.pcap': 0 });
know(RESERVED_BITS, 'tcpdump/tests', { 'hoobr_juniper3.pcap': 1, 'juniper_es_oobr.pcap': 1 });
know(MINOR_VERSION, 'libpcap/tests', { 'pcapng-invalid-vers-2.pcapng': 1 });

const FUZZED = 'PcapPlusPlus/Tests/Fuzzers/RegressionTests/regression_samples';
know(RESERVED_BITS, FUZZED, {
  'clusterfuzz-testcase-minimized-FuzzTarget-5631583764873216': 1,
  'clusterfuzz-testcase-minimized-FuzzTarget-5685520970809344': 1,
  'clusterfuzz-testcase-minimized-FuzzTarget-5752969003008000': 1,
});
know(READS_AHEAD, FUZZED, {
  'clusterfuzz-testcase-FuzzTarget-5188876846235648': 1,
  'clusterfuzz-testcase-FuzzTarget-5781142119907328': 1,
  'clusterfuzz-testcase-minimized-FuzzTarget-5165538295939072': 1,
  'clusterfuzz-testcase-minimized-FuzzTarget-5204104585674752': 1,
  'clusterfuzz-testcase-minimized-FuzzTarget-5723611632762880': 1,
  'clusterfuzz-testcase-minimized-FuzzTarget-5758569646653440': 1,
  'crash-eec28dafde1f1ac2299674a75a914ae16d4046fa': 1,
  'crash-pcapng-epb-unbounded-length': 0,
  radiuslayer: 5,
});
know(NONSENSE_HEADERS, FUZZED, {
  'clusterfuzz-testcase-minimized-FuzzTarget-5766899836387328': 1,
  'crash-exception-cast-constructed-record': 1,
});
know(GOES_ON, FUZZED, { 'crash-81dba690a3f67ee41a41390a625db732fa1413a1': 13, igmplayer: 16 });
know(NO_RECORD_THERE, 'tcpdump/tests', { 'bgp_vpn_rt-oobr.pcap': 1 });
know(NO_RECORD_THERE, FUZZED, {
  'clusterfuzz-testcase-minimized-FuzzTarget-5696447256461312': 1,
  'crash-8534c61cdf5987482365d7877ade12eef5aaf8b7': 1,
  'clusterfuzz-testcase-minimized-FuzzTarget-5717750942269440': 0,
  'clusterfuzz-testcase-minimized-FuzzTarget-5755755617189888': 1,
});

/// The one difference in single frames.
export const NO_TIME =
  'A simple packet block has no time. Wireshark leaves it empty; here it is that of the packet before.';
