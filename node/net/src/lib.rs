//! The libp2p adapter behind one typed Command/Event pair.
