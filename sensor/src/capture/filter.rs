//! `--filter`: a BPF expression compiled with libpcap.
