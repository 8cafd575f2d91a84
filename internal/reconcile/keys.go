package reconcile

import (
	"slices"
	"strings"

	"golang.org/x/text/cases"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Key is one value by which a record can be found on the other side.
type Key struct {
	// Rule is the index in Object.Match, or ExternalRule.
	Rule int
	// Value is never empty, and equal on both sides for the same thing.
	Value string
}

// ExternalRule is the rule of the external id, which is better than all match
// rules: the HubSpot record id on one side, the external id field on the other.
const ExternalRule = -1

// ConversionRule is better still: a lead conversion said that the two are the
// same. No key stands for it; the engine brings such candidates by itself.
const ConversionRule = -2

// minPhoneDigits is the least that makes a phone number a person's own; shorter
// ones are extensions and typing mistakes.
const minPhoneDigits = 7

// Keys returns the keys of a record in the order of the rules, best first. A
// HubSpot record has several of one rule where it has several addresses. A blank
// value gives no key, nor does a free-mail host where domains are
// compared, nor a Lead that was converted: its Contact stands for it.
func Keys(o *mapping.BoundObject, side crm.Side, object string, rec *crm.Record) []Key {
	if rec == nil || isConverted(side, object, rec) {
		return nil
	}
	var out []Key
	if o.ExternalID != "" {
		id := rec.ID
		if side == crm.Salesforce {
			id = strings.TrimSpace(rec.Value(o.ExternalID).Text)
		}
		if id != "" {
			out = append(out, Key{Rule: ExternalRule, Value: id})
		}
	}
	for i := range o.Match {
		m := &o.Match[i]
		field := m.HubSpot
		if side == crm.Salesforce {
			field = m.Salesforce
		}
		values := []crm.Value{rec.Value(field)}
		if side == crm.HubSpot {
			// A person with several addresses is found by each of them.
			for also := range strings.SplitSeq(rec.Value(mapping.AlsoHolds(field)).Text, ";") {
				values = append(values, crm.Text(strings.TrimSpace(also)))
			}
		}
		for _, value := range values {
			k := Key{Rule: i, Value: matchValue(m.As, value)}
			if k.Value != "" && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}

// KeysOf returns the keys under which a value would be found, one for each rule
// that can have it.
func KeysOf(o *mapping.BoundObject, value string) []Key {
	var out []Key
	for i := range o.Match {
		if v := matchValue(o.Match[i].As, crm.Text(value)); v != "" {
			out = append(out, Key{Rule: i, Value: v})
		}
	}
	return out
}

func isConverted(side crm.Side, object string, rec *crm.Record) bool {
	return side == crm.Salesforce && object == "Lead" && strings.EqualFold(rec.Value(mapping.LeadConverted).Text, "true")
}

func matchValue(as string, v crm.Value) string {
	if !v.IsPresent() {
		return ""
	}
	text := cleanText(v.Text)
	switch as {
	case "email":
		at := strings.LastIndexByte(text, '@')
		if at <= 0 || at == len(text)-1 {
			return ""
		}
		return lowerText(text)
	case "domain":
		if d := mapping.DomainOf(text); !isFreeMail(d) {
			return d
		}
		return ""
	case "phone":
		p := canonicalPhone(text)
		if digits := strings.Count(strings.Map(onlyDigits, p), "0"); digits < minPhoneDigits {
			return ""
		}
		return p
	case "id":
		return wideID(text)
	}
	return cases.Fold().String(strings.Join(strings.Fields(text), " "))
}

func onlyDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return '0'
	}
	return -1
}

// wideID brings a 15-character Salesforce id to its 18-character form, so that
// both spellings match; other texts stay as they are.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
func wideID(s string) string {
	if len(s) != 15 {
		return s
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	suffix := make([]byte, 0, 3)
	for block := 0; block < 3; block++ {
		bits := 0
		for i := 0; i < 5; i++ {
			c := s[block*5+i]
			if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
				return s
			}
			if c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		suffix = append(suffix, alphabet[bits])
	}
	return s + string(suffix)
}

// isFreeMail tells hosts where anybody can have an address, so that sharing one
// says nothing about the company.
func isFreeMail(domain string) bool {
	switch domain {
	case "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.co.jp", "ymail.com",
		"hotmail.com", "hotmail.co.uk", "hotmail.fr", "hotmail.de", "outlook.com", "outlook.de", "live.com", "msn.com", "icloud.com", "me.com", "mac.com",
		"aol.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "t-online.de", "freenet.de", "proton.me", "protonmail.com", "mail.com",
		"mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "126.com", "sina.com", "naver.com", "daum.net", "hanmail.net",
		"orange.fr", "free.fr", "laposte.net", "wanadoo.fr", "libero.it", "virgilio.it", "wp.pl", "o2.pl", "onet.pl", "seznam.cz", "uol.com.br", "bol.com.br",
		"comcast.net", "verizon.net", "att.net", "sbcglobal.net", "btinternet.com", "sky.com", "zoho.com", "fastmail.com", "hey.com", "tutanota.com", "rediffmail.com":
		return true
	}
	return false
}
