#pragma once

// Every public header of the core.

#include <bursar/base/bytes.h>
#include <bursar/base/quoted.h>
