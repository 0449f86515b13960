//! offload

/// The length of the `virtio_net_hdr` before every packet of a TUN with `IFF_VNET_HDR`.
pub const VNET_HDR_LEN: usize = 10;
