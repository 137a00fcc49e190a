/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Invented company names. One is drawn a conversation, so that the name is always a slot and
 * never something to learn; none is meant to be anybody. */
#include "corpus_tool.h"

const char *const corpus_company_names[] = {
	"Tarnett", "Cirrwick", "Fenndale Store", "Embora", "Norvdale Telecom", "Solvora", "Pellbury",
	"Solvmora Air", "Fennora", "Embley Online", "Iverett Group", "Myrwell", "Hoxwell Travel",
	"Velostead Bank", "Bramwell Bank", "Iveraro Travel", "Quildale & Sons", "Solvstead Online",
	"Iverwell & Sons", "Ulverstead", "Lundmora Online", "Quilano", "Zephbury Air", "Dorvix Air",
	"Cirrstead Online", "Kastano", "Thornstead Home", "Ravelwick Travel", "Hoxbury Express",
	"Tarnbury", "Lunddale", "Garix Direct", "Haldstead Express", "Quilix Home", "Fennwell Digital",
	"Pellmora Digital", "Lundix Shop", "Solvdale Travel", "Fennmora", "Cirrdale Mobile",
	"Haldwick Store", "Kelvmora & Sons", "Wynaro Bank", "Ravelix Mobile", "Norvstead", "Kastora",
	"Ivermora Bank", "Cirrix", "Tarnwell", "Haldett Shop", "Cirrano", "Dorvstead Digital",
	"Zephmora Online", "Norvett Mobile", "Garbury Telecom", "Tarnaro Telecom", "Ravelett Air",
	"Lundett Travel", "Pelldale Direct", "Bramdale Market", "Kastix Mobile", "Dorvley Market",
	"Ulverwick Direct", "Ulverora", "Halddale", "Solvley", "Solvano & Sons", "Cirrwell",
	"Wynwick Telecom", "Wynwell Market", "Kaststead Group", "Garmora Store", "Haldmora Shop",
	"Ravelano Group", "Quilett & Sons", "Kelvstead Telecom", "Cirrley", "Jorwick", "Myrano Mobile",
	"Pellstead", "Kastaro Shop", "Wynano Group", "Kelvix", "Osterdale Shop", "Embwick",
	"Haldano & Sons", "Myrmora Market", "Kelvaro Home", "Kastmora", "Thornix Group",
	"Ravelmora Store", "Zephwick Air", "Ravelora Direct", "Kelvdale Bank", "Hoxora Group", "Fennaro",
	"Dorvbury Mobile", "Myrwick Air", "Pellwell Group", "Garora & Sons", "Ulveraro Telecom",
	"Garstead Mobile", "Osterbury", "Hoxett Telecom", "Osterstead Group", "Dorvmora Digital",
	"Solvwell Home", "Kelvett Air", "Solvett & Sons", "Bramstead Store", "Hoxstead Market",
	"Hoxwick Shop", "Wynstead Online", "Quilstead", "Fennstead Store", "Tarnano", "Kelvley Market",
	"Iverstead", "Ulverett Home", "Dorvaro Travel", "Brambury Home", "Haldix Express",
	"Fennwick Express", "Fennano Group", "Zephley Market", "Ulverbury & Sons", "Tarnix",
	"Raveldale Store", "Dorvwell Store", "Quilora Home", "Ulverdale Travel", "Ravelley Air", "Norvix",
	"Tarnmora Market", "Thornwick", "Velobury Online", "Dorvett Digital", "Kastett Direct",
	"Hoxmora Market", "Norvwell Air", "Zephett", "Garwell Market", "Osterley", "Ulverano Air",
	"Zephano & Sons", "Thornbury Online", "Zephstead Store", "Thornley & Sons", "Cirrmora Shop",
	"Haldley", "Kastwick Direct", "Wynett Air", "Velowell Mobile", "Pellix", "Garwick",
	"Iverdale Air", "Hoxley", "Haldora Direct", "Hoxdale Air", "Kelvwell Air", "Haldwell", "Hoxaro",
	"Bramley", "Thornora", "Quilmora Travel", "Zepharo", "Cirrbury Travel", "Jormora Direct",
	"Quilwick Travel", "Embdale Online", "Solvbury Store", "Norvwick", "Bramaro Home",
	"Wynora Travel", "Pellaro", "Lundbury", "Norvbury", "Iverano Telecom", "Jorbury Express",
	"Thornmora Digital", "Iverora Group", "Jorley Express", "Iverix", "Ulverley", "Haldbury Direct",
	"Norvley Mobile", "Velowick Direct", "Ulverix", "Bramano", "Embaro Express", "Pellett",
	"Ravelbury Group", "Cirraro Market", "Dorvano Telecom", "Osterora Online", "Ravelaro",
	"Gararo Shop", "Embwell", "Thorndale", "Quilwell Store"
};

const size_t corpus_company_count = sizeof(corpus_company_names) / sizeof(corpus_company_names[0]);
