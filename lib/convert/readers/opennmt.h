// Translation models as OpenNMT's runtime stores them: one binary file of named variables, and vocabularies of one word a line beside it.
#pragma once

#include <string>
#include <vector>

#include "convert/checkpoint.h"

namespace linnet::convert {

/// Whether a file begins like one of these.
bool is_opennmt_file(const std::string& path);
/// Whether a folder holds such a model, or the same variables as safetensors: there are vocabularies and no configuration of another kind.
bool is_opennmt_folder(const std::string& path);
/// Variables by their names with dots for slashes; whole numbers with a scale beside them are seen as what they stand for.
/// Throws Error for versions that are not known, and for what is malformed or truncated.
std::unique_ptr<Checkpoint> open_opennmt(const std::string& path);

/// What stands in no file: the ids of the words that begin and end a text.
Json opennmt_config(const std::string& folder);
/// The words of one side, "source" or "target", by their ids; none where there is no such file. Of one vocabulary for both sides: its
/// words.
std::vector<std::string> opennmt_words(const std::string& folder, const std::string& side);

}  // namespace linnet::convert
