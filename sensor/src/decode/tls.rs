//! TLS: the ClientHello and ServerHello, in place.
