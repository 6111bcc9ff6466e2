// Every named maximum of the library in one place. FORMAT.md quotes the file's; the fuzz dictionaries are made from them.
#pragma once

#include <cstdint>

namespace linnet::core::limits {

// The file.
constexpr uint64_t kMetadataBytes = 64u << 20;  // the FlatBuffers part
constexpr uint32_t kTables = 1000000;           // FlatBuffers tables in it
constexpr uint32_t kNesting = 16;               // FlatBuffers nesting depth
constexpr uint32_t kRequirements = 1024;
constexpr uint32_t kNameBytes = 1024;  // of a tensor, state, program, port, value or requirement
constexpr uint32_t kTensors = 100000;
constexpr uint32_t kTensorRows = 1u << 28;
constexpr uint32_t kColumns = 65536;  // of a quantized tensor: |A| <= 30480 * K must fit int32
constexpr uint32_t kDenseColumns = 1u << 24;
constexpr uint32_t kPrograms = 16;
constexpr uint32_t kOperations = 100000;  // per program
constexpr uint32_t kValues = 100000;      // per program
constexpr uint32_t kOperands = 16;        // per operation
constexpr uint32_t kPorts = 64;           // inputs, and outputs, per program
constexpr uint32_t kRowFactor = 4096;     // of a row expression; its constant: kContext. Rows * columns * 4 then fit 62 bits
constexpr uint32_t kStates = 4096;
constexpr uint32_t kHeads = 1024;
constexpr uint32_t kHeadWidth = 8192;
constexpr uint32_t kExperts = 4096;  // of a layer
constexpr uint32_t kVocabulary = 1u << 22;
constexpr uint32_t kTokenBytes = 4096;  // one piece's text
constexpr uint32_t kStages = 1024;      // of one part of a text pipeline; items of a template
constexpr uint32_t kLabels = 1u << 20;
constexpr uint32_t kPrompts = 1024;
constexpr uint32_t kBeams = 256;
constexpr uint32_t kTargets = 100000;  // of an adapter
constexpr uint32_t kAdapterRank = 4096;

// A session.
constexpr uint32_t kContext = 1u << 24;  // positions of one sequence
constexpr uint32_t kBatchTokens = 1u << 20;
constexpr uint32_t kSequences = 4096;
constexpr uint32_t kThreads = 64;
constexpr uint32_t kAdapters = 1024;  // attached to a session

// A chat template and one rendering of it.
constexpr uint32_t kTemplateBytes = 1u << 20;
constexpr uint32_t kTemplateNodes = 1u << 17;
constexpr uint32_t kTemplateNames = 1024;        // of variables and attributes
constexpr uint32_t kTemplateNesting = 64;        // of statements and expressions
constexpr uint32_t kTemplateDepth = 400;         // of evaluation, macros included
constexpr uint32_t kTemplateSteps = 1u << 24;    // a value computed, or some bytes of text worked on
constexpr uint32_t kTemplateMemory = 64u << 20;  // of all values
constexpr uint32_t kTemplateOutput = 16u << 20;  // bytes rendered
constexpr uint32_t kTemplateRange = 100000;      // numbers in a range; the reference's own limit

// JSON that an application hands in.
constexpr uint32_t kJsonBytes = 64u << 20;
constexpr uint32_t kJsonValues = 1u << 20;
constexpr uint32_t kJsonNesting = 128;

// Constrained output: grammars and schemas are as little trusted as files.
constexpr uint32_t kGrammarBytes = 4u << 20;  // of a grammar's text, and of all literals together
constexpr uint32_t kGrammarRules = 1u << 15;
constexpr uint32_t kGrammarParts = 1u << 19;          // expressions, their children and ranges of characters, each
constexpr uint32_t kGrammarNesting = 128;             // expressions within expressions of one rule
constexpr uint32_t kGrammarRepeat = 1000000;          // the largest number in {m,n}
constexpr uint32_t kProgramNodes = 1u << 18;          // of a compiled grammar
constexpr uint32_t kConstraintDepth = 1024;           // rules within rules while a text is written
constexpr uint32_t kConstraintReadings = 1024;        // ways to read a text at the same time; beyond, those that end soonest are kept
constexpr uint32_t kConstraintStates = 1u << 14;      // kept ones; beyond, all are forgotten and built again as needed
constexpr uint32_t kConstraintMaskBytes = 32u << 20;  // of kept masks, likewise
constexpr uint32_t kConstraintToken = 256;            // bytes; longer tokens are never allowed
constexpr uint32_t kConstraintShortest = 1u << 16;    // bytes of a text's shortest end that can be counted in tokens

}  // namespace linnet::core::limits
