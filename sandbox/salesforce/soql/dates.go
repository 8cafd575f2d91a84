package soql

import "time"

var plainLiterals = map[string]bool{
	"YESTERDAY": true, "TODAY": true, "TOMORROW": true,
	"LAST_WEEK": true, "THIS_WEEK": true, "NEXT_WEEK": true,
	"LAST_MONTH": true, "THIS_MONTH": true, "NEXT_MONTH": true,
	"LAST_90_DAYS": true, "NEXT_90_DAYS": true,
	"THIS_QUARTER": true, "LAST_QUARTER": true, "NEXT_QUARTER": true,
	"THIS_YEAR": true, "LAST_YEAR": true, "NEXT_YEAR": true,
	"THIS_FISCAL_QUARTER": true, "LAST_FISCAL_QUARTER": true, "NEXT_FISCAL_QUARTER": true,
	"THIS_FISCAL_YEAR": true, "LAST_FISCAL_YEAR": true, "NEXT_FISCAL_YEAR": true,
}

var countedLiterals = map[string]bool{
	"LAST_N_DAYS": true, "NEXT_N_DAYS": true, "N_DAYS_AGO": true,
	"LAST_N_WEEKS": true, "NEXT_N_WEEKS": true, "N_WEEKS_AGO": true,
	"LAST_N_MONTHS": true, "NEXT_N_MONTHS": true, "N_MONTHS_AGO": true,
	"LAST_N_QUARTERS": true, "NEXT_N_QUARTERS": true, "N_QUARTERS_AGO": true,
	"LAST_N_YEARS": true, "NEXT_N_YEARS": true, "N_YEARS_AGO": true,
	"LAST_N_FISCAL_QUARTERS": true, "NEXT_N_FISCAL_QUARTERS": true, "N_FISCAL_QUARTERS_AGO": true,
	"LAST_N_FISCAL_YEARS": true, "NEXT_N_FISCAL_YEARS": true, "N_FISCAL_YEARS_AGO": true,
}

// Range is what a date literal means at a moment: from inclusive to exclusive,
// both at midnight in the moment's zone. Weeks begin on Sunday, fiscal years
// with the calendar's.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
func (v Value) Range(now time.Time) (from, to time.Time) {
	n := int(v.Number)
	day := func(offset int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+offset, 0, 0, 0, 0, now.Location())
	}
	week := func(offset int) time.Time { return day(-int(now.Weekday()) + 7*offset) }
	month := func(offset int) time.Time {
		return time.Date(now.Year(), now.Month()+time.Month(offset), 1, 0, 0, 0, 0, now.Location())
	}
	quarter := func(offset int) time.Time {
		first := (now.Month()-1)/3*3 + 1
		return time.Date(now.Year(), first+time.Month(3*offset), 1, 0, 0, 0, 0, now.Location())
	}
	year := func(offset int) time.Time {
		return time.Date(now.Year()+offset, 1, 1, 0, 0, 0, 0, now.Location())
	}
	switch v.Text {
	case "YESTERDAY":
		return day(-1), day(0)
	case "TODAY":
		return day(0), day(1)
	case "TOMORROW":
		return day(1), day(2)
	case "LAST_WEEK":
		return week(-1), week(0)
	case "THIS_WEEK":
		return week(0), week(1)
	case "NEXT_WEEK":
		return week(1), week(2)
	case "LAST_MONTH":
		return month(-1), month(0)
	case "THIS_MONTH":
		return month(0), month(1)
	case "NEXT_MONTH":
		return month(1), month(2)
	case "LAST_90_DAYS":
		return day(-90), day(1)
	case "NEXT_90_DAYS":
		return day(1), day(91)
	case "LAST_QUARTER", "LAST_FISCAL_QUARTER":
		return quarter(-1), quarter(0)
	case "THIS_QUARTER", "THIS_FISCAL_QUARTER":
		return quarter(0), quarter(1)
	case "NEXT_QUARTER", "NEXT_FISCAL_QUARTER":
		return quarter(1), quarter(2)
	case "LAST_YEAR", "LAST_FISCAL_YEAR":
		return year(-1), year(0)
	case "THIS_YEAR", "THIS_FISCAL_YEAR":
		return year(0), year(1)
	case "NEXT_YEAR", "NEXT_FISCAL_YEAR":
		return year(1), year(2)
	case "LAST_N_DAYS":
		return day(-n), day(1)
	case "NEXT_N_DAYS":
		return day(1), day(n + 1)
	case "N_DAYS_AGO":
		return day(-n), day(-n + 1)
	case "LAST_N_WEEKS":
		return week(-n), week(0)
	case "NEXT_N_WEEKS":
		return week(1), week(n + 1)
	case "N_WEEKS_AGO":
		return week(-n), week(-n + 1)
	case "LAST_N_MONTHS":
		return month(-n), month(0)
	case "NEXT_N_MONTHS":
		return month(1), month(n + 1)
	case "N_MONTHS_AGO":
		return month(-n), month(-n + 1)
	case "LAST_N_QUARTERS", "LAST_N_FISCAL_QUARTERS":
		return quarter(-n), quarter(0)
	case "NEXT_N_QUARTERS", "NEXT_N_FISCAL_QUARTERS":
		return quarter(1), quarter(n + 1)
	case "N_QUARTERS_AGO", "N_FISCAL_QUARTERS_AGO":
		return quarter(-n), quarter(-n + 1)
	case "LAST_N_YEARS", "LAST_N_FISCAL_YEARS":
		return year(-n), year(0)
	case "NEXT_N_YEARS", "NEXT_N_FISCAL_YEARS":
		return year(1), year(n + 1)
	case "N_YEARS_AGO", "N_FISCAL_YEARS_AGO":
		return year(-n), year(-n + 1)
	}
	panic("soql: no date literal " + v.Text)
}
