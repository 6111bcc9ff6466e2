// Generation defaults as checkpoints state them.
#pragma once

#include "convert/config.h"

namespace linnet::convert {

/// generation_config.json where it has a key, else config.json for the token ids. `from_source`: an encoder-decoder, whose lengths count
/// what the decoder reads and writes.
flatbuffers::Offset<schema::Generation> write_generation(flatbuffers::FlatBufferBuilder& builder, const Config& generation,
                                                         const Config& config, bool from_source = false);

}  // namespace linnet::convert
