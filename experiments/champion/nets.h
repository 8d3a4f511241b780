// The nets of the champions, written as text. A word is a layer or a group of them, as experiments/blocks.h
// has it:
//
//   C16   a 3x3 convolution to 16 channels
//   D24   a depthwise-separable convolution to 24
//   R24   the same with its input, of 24 channels, added
//   P     a 2x2 max pool
//
// The average of each channel and a dense layer to ten classes end every net and are not written. "standard"
// is the net of standard_cifar.
//
//   recipe      net                                    parameters   multiply-adds
//   micro       C24 D32 P R32 R32 P D48 R48                10,074       2.6 million
//   mnist       C8 D16 P D24 R24 R24 P D32 R32 R32          7,026       0.8 million
#pragma once

#include <memory>
#include <string_view>

#include "core/random.h"
#include "core/shape.h"
#include "layers/sequential.h"

namespace qlimit {

/// image [1,h,w,c] -> logits [1,10]; any batch will do. Throws kUsage for a word that is none of those, with
/// the word and its place, for a pool that leaves nothing and for more than 1,024 channels.
std::unique_ptr<Sequential> make_net(std::string_view text, const Shape& image, Random& random);

}  // namespace qlimit
