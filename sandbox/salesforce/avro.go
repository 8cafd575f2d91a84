package salesforce

import (
	"encoding/binary"
	"math"
)

// Avro's binary form, as far as change events need it.
// https://avro.apache.org/docs/1.12.0/specification/#binary-encoding

func avroLong(b []byte, n int64) []byte { return binary.AppendUvarint(b, uint64(n<<1)^uint64(n>>63)) }

func avroString(b []byte, s string) []byte { return append(avroLong(b, int64(len(s))), s...) }

func avroStrings(b []byte, list []string) []byte {
	if len(list) > 0 {
		b = avroLong(b, int64(len(list)))
		for _, s := range list {
			b = avroString(b, s)
		}
	}
	return append(b, 0)
}

func avroDouble(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}

// avroType is a field's type inside its union with null.
func (f *field) avroType() string {
	switch f.kind() {
	case boolean:
		return "boolean"
	case number:
		if f.Type == "int" {
			return "int"
		}
		return "double"
	case date, datetime, daytime:
		return "long" // milliseconds
	}
	return "string"
}

// avroOptional writes a value of a union that starts with null; branch is the
// place of the value's own type in it.
func avroOptional(b []byte, f *field, v value, branch int64) []byte {
	if v.null() {
		return append(b, 0)
	}
	b = avroLong(b, branch)
	switch f.kind() {
	case boolean:
		return append(b, byte(v.number))
	case number:
		if f.Type == "int" {
			return avroLong(b, int64(v.number))
		}
		return avroDouble(b, v.number)
	case date:
		return avroLong(b, int64(v.number)*dayMilliseconds)
	case datetime:
		return avroLong(b, int64(v.number)*1000)
	case daytime:
		return avroLong(b, int64(v.number))
	}
	return avroString(b, v.text)
}
