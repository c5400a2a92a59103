//! Versioned types and a blocking client of the control socket.
