package reconcile

import (
	"strconv"
	"strings"
)

// decimal is an exact decimal number: digits without leading zeros, the last
// `scale` of them right of the point. Money is never a float here.
type decimal struct {
	negative bool
	digits   string
	scale    int
}

// maxDigits bounds what an exponent can ask for; both vendors hold far fewer.
const maxDigits = 400

// parseDecimal reads plain and scientific notation.
func parseDecimal(text string) (decimal, bool) {
	s := strings.TrimSpace(text)
	d := decimal{}
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.negative = s[0] == '-'
		s = s[1:]
	}
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e > maxDigits || e < -maxDigits {
			return d, false
		}
		mantissa, exponent = s[:i], e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || len(whole)+len(fraction) > maxDigits || !allDigits(whole) || !allDigits(fraction) {
		return d, false
	}
	d.digits, d.scale = whole+fraction, len(fraction)-exponent
	if d.scale < 0 {
		d.digits += strings.Repeat("0", -d.scale)
		d.scale = 0
	}
	return d.normal(), true
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// normal drops zeros that say nothing.
func (d decimal) normal() decimal {
	for d.scale > 0 && strings.HasSuffix(d.digits, "0") {
		d.digits, d.scale = d.digits[:len(d.digits)-1], d.scale-1
	}
	d.digits = strings.TrimLeft(d.digits, "0")
	if d.digits == "" {
		return decimal{}
	}
	return d
}

// round keeps at most scale digits right of the point, halves away from zero,
// as both vendors' user interfaces do.
func (d decimal) round(scale int) decimal {
	if d.scale <= scale {
		return d
	}
	drop := d.scale - scale
	digits := d.digits
	if len(digits) < drop {
		digits = strings.Repeat("0", drop-len(digits)) + digits
	}
	kept, up := digits[:len(digits)-drop], digits[len(digits)-drop] >= '5'
	if up {
		kept = plusOne(kept)
	}
	return decimal{negative: d.negative, digits: kept, scale: scale}.normal()
}

// doubleDigits is how many digits every double keeps.
const doubleDigits = 15

// double is the number after a passage through a 64-bit floating point number,
// as Salesforce's API makes it. What is written and what comes back of it have
// the same one, however the vendor prints it.
func (d decimal) double() decimal {
	if len(d.digits) <= doubleDigits {
		return d
	}
	f, err := strconv.ParseFloat(d.String(), 64)
	if err != nil {
		return d
	}
	if near, ok := parseDecimal(strconv.FormatFloat(f, 'f', -1, 64)); ok {
		return near
	}
	return d
}

// shift multiplies by ten to the power of places, exactly.
func (d decimal) shift(places int) decimal {
	d.scale -= places
	if d.scale < 0 {
		d.digits += strings.Repeat("0", -d.scale)
		d.scale = 0
	}
	return d.normal()
}

func plusOne(digits string) string {
	b := []byte(digits)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < '9' {
			b[i]++
			return string(b)
		}
		b[i] = '0'
	}
	return "1" + string(b)
}

// wholeDigits counts the digits left of the point.
func (d decimal) wholeDigits() int { return max(0, len(d.digits)-d.scale) }

// String is the shortest plain notation: "1500.5", "-0.25", "0".
func (d decimal) String() string {
	s := d.digits
	if len(s) <= d.scale {
		s = strings.Repeat("0", d.scale-len(s)+1) + s
	}
	if d.scale > 0 {
		s = s[:len(s)-d.scale] + "." + s[len(s)-d.scale:]
	}
	if d.negative && d.digits != "" {
		s = "-" + s
	}
	return s
}
