package story

import "strings"

// name is a name as a person writes it and as it stands in an e-mail address.
type name struct{ text, slug string }

// culture is a stock of names that go together.
type culture struct {
	first, last []name
}

// parseNames reads names separated by blanks. A name whose e-mail form cannot be
// had by dropping accents carries it after "=": 李=li. An underscore is a blank
// inside a name.
func parseNames(text string) []name {
	words := strings.Fields(text)
	names := make([]name, len(words))
	for i, w := range words {
		shown, slug, given := strings.Cut(w, "=")
		if !given {
			slug = slugOf(strings.ReplaceAll(shown, "_", ""))
		}
		names[i] = name{strings.ReplaceAll(shown, "_", " "), slug}
	}
	return names
}

// slugOf is the form of a name in domains and addresses: lower case ASCII.
func slugOf(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		default:
			b.WriteString(plainLetters(r))
		}
	}
	return b.String()
}

// plainLetters spells one accented letter without its accent; other signs vanish.
func plainLetters(r rune) string {
	switch r {
	case 'ä':
		return "ae"
	case 'ö', 'ø', 'œ':
		return "oe"
	case 'ü':
		return "ue"
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'å':
		return "aa"
	}
	for _, family := range [...]struct{ plain, accented string }{
		{"a", "áàâãăąā"}, {"c", "çćčĉ"}, {"d", "ďđð"}, {"e", "éèêëęěėē"}, {"g", "ğģ"}, {"i", "íìîïıīį"},
		{"k", "ķ"}, {"l", "łľĺļ"}, {"n", "ñńňņ"}, {"o", "óòôõőō"}, {"r", "řŕ"}, {"s", "śšşș"},
		{"t", "ťţț"}, {"u", "úùûůűū"}, {"y", "ýÿ"}, {"z", "źżž"}, {"th", "þ"},
	} {
		if strings.ContainsRune(family.accented, r) {
			return family.plain
		}
	}
	return ""
}

// The cultures' numbers; countries and the cast refer to them.
const (
	english = iota
	german
	french
	spanish
	italian
	portuguese
	polish
	dutch
	nordic
	turkish
	bohemian
	indian
	chinese
	japanese
	korean
	arabic
	nigerian
	greek
	ukrainian
	irish
	cultures
)

// readCultures parses the lists. No two cultures share the e-mail form of a last
// name: that is what keeps two colleagues' addresses apart.
func readCultures() []culture {
	list := make([]culture, cultures)
	for i, names := range [cultures][2]string{
		english: {`James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Karen Charles Nancy Emily Daniel Laura Matthew Ashley Andrew Grace Olivia Ethan Chloe`,
			`Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Martin Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Morris Rogers Reed Cook Bailey Cooper Richardson Hughes Fletcher`},
		german: {`Jürgen Sabine Klaus Petra Wolfgang Ursula Stefan Claudia Andreas Monika Björn Katrin Günther Anke Jörg Heike Lukas Hannah`,
			`Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Krüger Hartmann Lange Krause Köhler Groß Böhm Jäger`},
		french: {`Jean Marie Pierre Françoise Michel Monique Philippe Isabelle Luc Chloé Benoît Hélène Jérôme Océane Étienne Amélie Jean-Luc Anne-Sophie`,
			`Durand Dubois Moreau Laurent Lefèvre Leroy Roux Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Faure Mercier Blanc Guérin Chevalier Gauthier Perrin Clément D'Amboise`},
		spanish: {`Carlos María José Lucía Javier Carmen Miguel Ana Alejandro Sofía Íñigo Begoña Andrés Inés Joaquín Nuria Raúl Verónica`,
			`García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Jiménez Ruiz Hernández Díaz Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Núñez Peña Ibáñez`},
		italian: {`Marco Giulia Luca Chiara Alessandro Francesca Matteo Elena Giovanni Valentina Niccolò Beatrice Davide Martina`,
			`Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti De_Luca Costa Giordano Mancini Rizzo Lombardi Moretti`},
		portuguese: {`João Ana Pedro Beatriz Tiago Mariana Gonçalo Inês Luís Catarina Thiago Letícia Caio Fernanda`,
			`Silva Santos Oliveira Souza Pereira Ferreira Almeida Carvalho Ribeiro Araújo Barbosa Cardoso Teixeira Magalhães Gonçalves Assunção Figueiredo`},
		polish: {`Łukasz Agnieszka Paweł Katarzyna Michał Małgorzata Krzysztof Joanna Wojciech Zofia Stanisław Bożena Rafał Grażyna`,
			`Nowak Kowalska Wiśniewski Wójcik Kowalczyk Kamińska Lewandowski Zieliński Szymańska Woźniak Dąbrowski Kozłowska Jabłoński Mazur Krawczyk Łukaszewicz Święch Żak`},
		dutch: {`Jan Sanne Pieter Femke Daan Anouk Bram Lotte Jeroen Marieke Sjoerd Willemijn`,
			`de_Jong de_Vries van_den_Berg van_Dijk Bakker Janssen Visser Smit Meijer Mulder de_Boer Bos Vos Peters Hendriks van_Leeuwen Dekker`},
		nordic: {`Lars Ingrid Søren Astrid Bjørn Freja Åsa Henrik Kåre Sigrid Mikael Linnéa Øyvind Aino Jónas Guðrún`,
			`Hansen Johansen Olsen Larsen Andersen Nilsson Lindqvist Sjöberg Bergström Åkesson Sørensen Jørgensen Østergård Virtanen Mäkelä Þórsson Ødegård`},
		turkish: {`Mehmet Ayşe Mustafa Fatma Emre Elif Çağlar Gülşen Oğuz Zeynep Işıl İbrahim=ibrahim`,
			`Yılmaz Kaya Demir Çelik Şahin Yıldız Öztürk Aydın Özdemir Arslan Doğan Kılıç Çetin Koç`},
		bohemian: {`Jiří Tereza Tomáš Kateřina Ondřej Zuzana Gábor Eszter Zoltán Réka László Veronika`,
			`Novák Svobodová Dvořák Černý Procházka Kučera Veselý Horváth Kovács Szabó Tóth Nagy Varga Molnár Őri`},
		indian: {`Aarav Priya Rohan Ananya Vikram Deepika Arjun Kavya Sanjay Meera Rahul Lakshmi Imran Neha`,
			`Sharma Patel Gupta Singh Kumar Reddy Iyer Nair Mehta Chatterjee Rao Desai Joshi Kapoor Banerjee Subramanian Venkataraman`},
		chinese: {`伟=wei 芳=fang 娜=na 敏=min 静=jing 强=qiang 磊=lei 洋=yang 艳=yan 勇=yong Xiaoming Meiling`,
			`李=li 王=wang 张=zhang 刘=liu 陈=chen 杨=yangs 赵=zhao 黄=huang 周=zhou 吴=wu 徐=xu 孙=sun Lin Zheng`},
		japanese: {`翔太=shota 陽菜=hina 健一=kenichi 美咲=misaki Hiroshi Yuki Takeshi Sakura Kenji Akiko Daisuke Naomi`,
			`佐藤=sato 鈴木=suzuki 高橋=takahashi 田中=tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Yamada Sasaki`},
		korean: {`Minjun Seoyeon Jiho Hayoon Dohyun Jiwoo 민준=min-jun 서연=seo-yeon Hyejin Taeyang Eunji Sungho`,
			`김=kim 이=yi 박=park Choi Jung Kang Cho Yoon Jang Lim Han Shin`},
		arabic: {`Ahmed Fatima Omar Layla Khalid Aisha Youssef Noor Hassan Mariam Tariq Salma`,
			`Al-Farsi El-Sayed Haddad Khoury Mansour Nasser Rahman Saleh Abdallah Bin_Rashid Qureshi Aziz Ben_Amor`},
		nigerian: {`Chinedu Ngozi Emeka Amara Oluwaseun Folake Tunde Adaeze Ifeanyi Zainab Kwame Abena`,
			`Okafor Adeyemi Okonkwo Balogun Eze Nwosu Adebayo Obi Mensah Owusu Mbeki Dlamini Wanjiku Ọlá=ola`},
		greek: {`Γιώργος=giorgos Ελένη=eleni Nikos Katerina Dimitris Sophia Yannis Despina Kostas Ioanna`,
			`Παπαδόπουλος=papadopoulos Georgiou Nikolaidis Economou Vasileiou Katsaros Alexiou Makris Xenakis Stavrou`},
		ukrainian: {`Олена=olena Андрій=andrii Taras Oksana Bohdan Iryna Дмитро=dmytro Natalia Yaroslav Halyna`,
			`Шевченко=shevchenko Коваль=koval Bondarenko Tkachenko Kravchenko Boyko Melnyk Lysenko Polishchuk Petrenko`},
		irish: {`Seán Siobhán Conor Aoife Ciarán Niamh Declan Róisín Eoin Gráinne Patrick Maeve`,
			`O'Brien O'Connor Murphy Kelly O'Sullivan Walsh O'Neill McCarthy Gallagher Doyle O'Reilly Byrne Fitzgerald MacDonagh`},
	} {
		list[i] = culture{parseNames(names[0]), parseNames(names[1])}
	}
	return list
}
