// Linnet: the mark of the public names. A shared library shows these and hides all else; a static one needs no mark.
#pragma once

#if defined(LINNET_SHARED)
#define LINNET_API [[gnu::visibility("default")]]
#else
#define LINNET_API
#endif
