// A vocabulary that is a list of words, one of them an id, where texts come cut into words already.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convert/text/tokenizer_draft.h"

namespace linnet::convert {

/// Of words that are all single characters: texts are cut into characters. Else at white space. None where the words are pieces that
/// another tokenizer makes of words, whose rules are not in the list.
std::optional<TokenizerDraft> parse_word_list(const std::vector<std::string>& words);

}  // namespace linnet::convert
